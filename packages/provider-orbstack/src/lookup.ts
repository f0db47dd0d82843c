import type { CallOptions, ListFilter } from "@slipway/core";
import { matcherOf } from "@slipway/provider-kit/filters";
import { bootstrapState } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import { isMachineId, type OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { materialize, type OrbstackInstance } from "./instance.ts";
import { hasKey, isOwnedBy, mayBeOurs, type Owned, ownedOf } from "./tags.ts";
import type { WireInfo } from "./wire.ts";

/** An instance as one question about it answers. */
export interface Found {
  readonly info: WireInfo;
  readonly owned: Owned;
}

export async function getInstance(
  context: OrbstackContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<OrbstackInstance | null> {
  const call: Call = { operation: "get", signal };
  const found = await findInstance(context, call, id);
  return found === null ? null : await told(context, call, found);
}

/** Null if there is none, and for a machine that is no instance of Slipway's. */
export async function findInstance(context: OrbstackContext, call: Call, id: string): Promise<Found | null> {
  if (!isMachineId(id)) return null;
  const info = await context.client.machine(call, id);
  if (info === null || info.record.id !== id) return null;
  const owned = await ownedOf(context, call, info.record);
  return owned === null ? null : { info, owned };
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

/** With how far its bootstrap is: one more command, for an instance that has one and can be asked. */
export async function told(
  { client, owner }: OrbstackContext,
  call: Call,
  { info, owned }: Found,
  key?: string,
): Promise<OrbstackInstance> {
  const asks = owned.tag?.bootstrap !== undefined && info.record.state === "running";
  const bootstrap = asks ? await bootstrapState(client, call, info.record.name) : undefined;
  return materialize(owned, { self: owner, info, bootstrap, key });
}

/** One command for all, and one more for each instance that this process does not know yet: so it has no addresses. */
export async function listInstances(
  context: OrbstackContext,
  filter: ListFilter<"snapshots"> = {},
  { signal }: CallOptions = {},
): Promise<readonly OrbstackInstance[]> {
  const { owner = context.owner } = filter;
  const matches = matcherOf(filter);
  const call: Call = { operation: "list", signal };
  const found: OrbstackInstance[] = [];
  for (const machine of await context.client.machines(call)) {
    if (!mayBeOurs(machine)) continue;
    const owned = await ownedOf(context, call, machine);
    if (owned === null || !isOwnedBy(owned, owner, context.owner)) continue;
    // One that was not tagged yet is known by the key that is asked for.
    const key = filter.keys?.find((each) => hasKey(owned, owner === "*" ? context.owner : owner, each));
    const instance = materialize(owned, { self: context.owner, key });
    if (matches(instance)) found.push(instance);
  }
  return found;
}
