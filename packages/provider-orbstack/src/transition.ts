import { isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import type { WireInfo } from "./wire.ts";

const LOOK_MS = 1_000;
/** When another try is worth it, in an error that says that something is on its way. */
export const RETRY_AFTER_MS = 5_000;
const UNSTABLE: ReadonlySet<string> = new Set(["creating", "provisioning", "starting", "stopping", "deleting"]);

/** Is it on its way to another state? Then nothing may be asked of it: a stop while it is set up destroyed machines. */
function isMoving({ record }: WireInfo): boolean {
  return UNSTABLE.has(record.state);
}

/** The machine as soon as it stands still; null if it has gone by then. BUSY, with nothing done, if it takes too long. */
export async function standingStill(
  { client, clock }: OrbstackContext,
  call: Call,
  info: WireInfo,
  patienceMs: number,
): Promise<WireInfo | null> {
  const { id } = info.record;
  const until = clock.now() + patienceMs;
  let now: WireInfo | null = info;
  while (now !== null && isMoving(now)) {
    if (clock.now() >= until) {
      throw refusal("BUSY", call.operation, `${id} is ${now.record.state} for more than ${patienceMs / 1000} s`, {
        hint: "Another call is at work on it: try again in a while.",
        retryAfterMs: RETRY_AFTER_MS,
        nativeId: id,
      });
    }
    await clock.sleep(LOOK_MS, call.signal);
    now = await client.machine(call, id);
  }
  return now;
}

/** Starts a machine that nobody was given yet. It takes an address as a creation does, so the breaker holds it back too. */
export async function startMachine({ client, breaker }: OrbstackContext, call: Call, id: string): Promise<void> {
  breaker.assertClosed(call);
  try {
    await client.start(call, id);
    breaker.close();
  } catch (error) {
    if (isProviderError(error)) breaker.note(error);
    throw error;
  }
}
