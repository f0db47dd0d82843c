import { abortError, isProviderError, type ProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { standingStill } from "./transition.ts";
import type { WireInfo } from "./wire.ts";

/** A machine that is deleted right after its stop keeps its address from those who come next. */
const SETTLE_MS = 1_000;
const PATIENCE_MS = 120_000;

/** Stops it, then deletes it by name. Resolves when it is gone, or on its way. */
export async function removeMachine(context: OrbstackContext, call: Call, there: WireInfo): Promise<void> {
  if (there.record.state === "deleting") return;
  const info = await standingStill(context, call, there, PATIENCE_MS);
  if (info === null) return;
  const stopped = info.record.state !== "stopped";
  if (stopped) {
    await stop(context, call, info);
    await pause(context, call);
  }
  await remove(context, call, info.record.id).catch((error: unknown) => {
    // It was stopped: that is a change, also where the deletion was refused.
    throw stopped && isProviderError(error) && error.effect === "none" ? withEffect(error, "unknown") : error;
  });
}

async function pause({ clock }: OrbstackContext, call: Call): Promise<void> {
  try {
    await clock.sleep(SETTLE_MS, call.signal);
  } catch (error) {
    if (call.signal === undefined) throw error;
    throw abortError(call.signal, { provider: PROVIDER, operation: call.operation, effect: "unknown" });
  }
}

/** By id, which no other machine can have. One that does not answer is looked up, and then forced. */
async function stop({ client }: OrbstackContext, call: Call, { record }: WireInfo): Promise<void> {
  try {
    await client.stop(call, record.id);
  } catch (error) {
    const again = await unclear(call, error, async () => {
      const now = await client.machine(call, record.id);
      return now === null || now.record.state === "stopped";
    });
    if (again) await client.stop(call, record.id, { force: true });
  }
}

/** How often somebody may rename it between the last look and the deletion. */
const RENAMES = 3;

/** Its name is read anew, as late as possible: by name is the only way to delete, and another one may have it by then. */
async function remove(context: OrbstackContext, call: Call, id: string): Promise<void> {
  for (let round = 0; round <= RENAMES; round += 1) {
    const there = await context.client.machine(call, id);
    if (there === null || there.record.state === "deleting") return;
    const now = await standingStill(context, call, there, PATIENCE_MS);
    if (now === null) return;
    if (await removeNamed(context, call, now)) return;
    // Nobody has the name any more: it has gone, or lives on under another one.
    await pause(context, call);
  }
  throw refusal("BUSY", call.operation, `${id} was renamed again and again while it was deleted`, { nativeId: id });
}

/** False where nobody had its name. */
async function removeNamed({ client }: OrbstackContext, call: Call, { record }: WireInfo): Promise<boolean> {
  const { id, name } = record;
  try {
    return await client.remove(call, name);
  } catch (error) {
    // At its cap it can neither be renamed nor deleted.
    if (isProviderError(error) && error.native?.code === "no-space") {
      await client.configure(call, name, "disk_bytes", "0");
      return await client.remove(call, name);
    }
    const again = await unclear(call, error, async () => {
      const left = await client.machine(call, id);
      return left === null || left.record.state === "deleting";
    });
    if (again) throw error;
    return true;
  }
}

/**
 * After a command that failed: false where what was wanted is so. True where it was no answer, and is to be done again, or
 * told. Throws the failure where it was a refusal, or nothing could be read.
 */
async function unclear(call: Call, error: unknown, isDone: () => Promise<boolean>): Promise<boolean> {
  if (!isProviderError(error) || call.signal?.aborted === true) throw error;
  const done = await isDone().catch(() => {
    throw error;
  });
  if (done) return false;
  if (!isWithoutAnswer(error)) throw error;
  return true;
}

function isWithoutAnswer({ code }: ProviderError): boolean {
  return code === "TIMEOUT" || code === "NETWORK";
}
