import { type Instance, type InstanceStatus, timestamp } from "@slipway/core";
import { mendsItself } from "../poll.ts";
import type { Launching } from "./launching.ts";

const ENDED: ReadonlySet<InstanceStatus> = new Set(["terminating", "terminated"]);
// A remote that cannot be listed for so long will not be waited for.
const MOST_FAILURES = 8;

/** Does it count as gone for its key? */
export function hasEnded(instance: Instance): boolean {
  return ENDED.has(instance.status);
}

/** Of several instances under one key, the one that all processes agree on: the oldest. */
export function oldest(instances: readonly Instance[]): Instance | undefined {
  let first: { readonly instance: Instance; readonly order: string } | undefined;
  for (const instance of instances) {
    // One without a time comes last: "~" is above every digit.
    const order = `${instance.createdAt ?? "~"} ${instance.id}`;
    if (first === undefined || order.localeCompare(first.order) < 0) first = { instance, order };
  }
  return first?.instance;
}

/**
 * Looks for what a spawn may have made, by owner and key, until it is found or until a listing begun `requestLifeMs` and
 * a whole `readAfterWriteMs` from now does not show it: only that proves that there is nothing. The request may still be
 * under way, although its process has ended or has given it up.
 *
 * The time counts from now, not from the intent: the spawn may have been sent long after its intent was written, up to
 * the moment at which its process died. It also makes the clocks of other machines irrelevant.
 *
 * `mayHaveEnded`: an earlier instance of the key may have ended just now, which a listing shows for a whole
 * `readAfterWriteMs`; until then none is believed.
 */
export async function lookUp(run: Launching, gone: readonly string[], mayHaveEnded = false): Promise<Instance | null> {
  const { provider, identity, poll } = run;
  const { readAfterWriteMs, requestLifeMs } = provider.limits;
  const proofAt = poll.clock.now() + requestLifeMs + readAfterWriteMs;
  const believedAt = poll.clock.now() + (mayHaveEnded ? readAfterWriteMs : 0);
  let failures = 0;
  for (let look = 0; ; look += 1) {
    const begun = poll.clock.now();
    let waitMs = 0;
    try {
      const listed = await provider.list({ keys: [identity.key] }, { signal: poll.signal });
      const found = oldest(listed.filter((one) => !hasEnded(one) && !gone.includes(one.id)));
      if (found !== undefined && begun >= believedAt) return found;
      if (found === undefined && begun >= proofAt) return null;
      failures = 0;
    } catch (error) {
      poll.check();
      failures += 1;
      const mends = mendsItself(error);
      if (mends === null || failures >= MOST_FAILURES) throw error;
      waitMs = mends;
    }
    await poll.pause(look, begun < proofAt ? proofAt - poll.clock.now() : undefined, waitMs);
  }
}

/**
 * The instance that a record names, or null if it is gone. A `get` that finds nothing proves nothing until a whole
 * `readAfterWriteMs` after this process read the record: the record's time is another machine's.
 */
export async function stillThere(run: Launching, id: string): Promise<Instance | null> {
  const { provider, poll } = run;
  const proofAt = poll.clock.now() + provider.limits.readAfterWriteMs;
  for (let look = 0; ; look += 1) {
    const begun = poll.clock.now();
    const instance = await provider.get(id, { signal: poll.signal });
    if (instance !== null) return hasEnded(instance) ? null : instance;
    if (begun >= proofAt) return null;
    await poll.pause(look, proofAt - poll.clock.now());
  }
}

/** Tells that an instance that was there before is answered. */
export function adopted(run: Launching, instance: Instance): Instance {
  const { poll, provider, identity } = run;
  poll.emit({
    type: "launch.adopted",
    at: timestamp(poll.clock),
    provider: provider.name,
    key: identity.key,
    id: instance.id,
  });
  return instance;
}
