import type { Call } from "./call.ts";
import { isMachineId, type OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { type Owned, ownedOf } from "./tags.ts";
import type { WireInfo, WireMachine } from "./wire.ts";

/** A machine, and whose it is. */
export interface SeenMachine {
  readonly record: WireMachine;
  /** Null where a list showed it. */
  readonly info: WireInfo | null;
  /** Null for an unmanaged one. */
  readonly owned: Owned | null;
  /** For whom it was looked at: one that was not tagged yet is known by its name. */
  readonly owner: string;
}

/** An instance as one question about it answers. */
export interface Found {
  readonly info: WireInfo;
  readonly owned: Owned;
}

/** A machine by its id, also one that is no instance of Slipway's; null if there is none. */
export async function seenById(context: OrbstackContext, call: Call, id: string): Promise<SeenMachine | null> {
  const info = await context.client.machine(call, id);
  if (info === null || info.record.id !== id) return null;
  return { record: info.record, info, owned: await ownedOf(context, call, info.record), owner: context.owner };
}

/** Null if there is none, and for a machine that is no instance of Slipway's. */
export async function findInstance(context: OrbstackContext, call: Call, id: string): Promise<Found | null> {
  const seen = isMachineId(id) ? await seenById(context, call, id) : null;
  if (seen === null || seen.info === null || seen.owned === null) return null;
  return { info: seen.info, owned: seen.owned };
}

/** NOT_FOUND where `findInstance` has null. */
export async function mustFind(context: OrbstackContext, call: Call, id: string): Promise<Found> {
  const found = await findInstance(context, call, id);
  if (found !== null) return found;
  throw refusal("NOT_FOUND", call.operation, `there is no instance ${JSON.stringify(id)}`);
}

/** INVALID_STATE for one that does not run: asking it something would start it. */
export async function mustRun(context: OrbstackContext, call: Call, id: string): Promise<Found> {
  const found = await mustFind(context, call, id);
  const { state } = found.info.record;
  if (state === "running") return found;
  throw refusal("INVALID_STATE", call.operation, `${id} is ${state}`, { nativeId: id });
}
