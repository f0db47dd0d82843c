import { type Instance, type Provider, projectProvider, systemClock } from "@slipway/core";
import { type EndRecording, recordEnd } from "./launch/record-end.ts";
import { mendsItself, type Poll, startPoll, type WaitOptions } from "./poll.ts";
import { type SharedLooks, sharedLooks } from "./shared-looks.ts";

/** How `terminateAndConfirm` waits, and where it records the end. */
export interface TerminateOptions extends WaitOptions, EndRecording {}

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * Terminates the instance and resolves when reads have agreed for one whole `limits.readAfterWriteMs` that it is gone: then
 * it costs nothing any more. `get` and `list` have to agree, or a listing has to show it as terminated. An id that is
 * unknown resolves in the same way. Rejects with TIMEOUT while a read still shows it: the instance may still cost money,
 * and the caller calls again. With `store`, the record of its launch is forgotten or kept as `ended`, so that `reconcile`
 * does not find it missing. Calls with the same provider object share their reads.
 *
 * @example
 * ```ts
 * const { id } = await provider.spawn({ key: "worker-1", spec: "m1.small" });
 * await terminateAndConfirm(provider, id, { timeoutMs: 120_000 });
 * (await provider.list()).length; // => 0
 * ```
 */
export async function terminateAndConfirm(exact: Provider, id: string, options: TerminateOptions = {}): Promise<void> {
  const provider: Provider = projectProvider<Provider>(exact);
  const { readAfterWriteMs } = provider.limits;
  const looks = sharedLooks(exact, options.clock ?? systemClock);
  const poll = startPoll(provider.name, "terminate", options, DEFAULT_TIMEOUT_MS, (ms) => looks.align(ms));
  const leave = looks.enter();
  let sent: number | undefined;
  let goneSince: number | undefined;
  let key: string | null = null;
  try {
    for (let look = 0; ; look += 1) {
      poll.check();
      let begun = poll.clock.now();
      let waitMs = 0;
      try {
        if (sent === undefined) {
          // Its record is found by its key, which the remote may not tell once it is gone.
          if (options.store !== undefined) key ??= await keyOf(provider, id, poll, looks);
          // From here on an abort cannot tell whether the remote has it.
          poll.setEffect("unknown");
          await provider.terminate(id, { signal: poll.signal });
          poll.setEffect("applied");
          begun = poll.clock.now();
          sent = begun;
        }
        // Where reads never lag, the first look decides, and so may not be a listing alone: that shows one owner's.
        const isDue = begun - (goneSince ?? begun) >= readAfterWriteMs;
        const seen = await whatIsLeft(provider, id, poll, looks, isDue);
        if (seen !== "gone") goneSince = undefined;
        else goneSince ??= begun;
        if (goneSince !== undefined && begun - goneSince >= readAfterWriteMs) {
          return await recordEnd(provider, { id, key }, options, poll.clock);
        }
        // Shown alive for longer than a read may lag: it was not terminated after all, so it is sent again.
        if (seen === "alive" && begun - sent >= readAfterWriteMs) sent = undefined;
      } catch (error) {
        poll.check();
        const mends = mendsItself(error);
        if (mends === null) throw error;
        // A look that failed has not seen it gone.
        goneSince = undefined;
        waitMs = mends;
      }
      const left = goneSince === undefined ? undefined : goneSince + readAfterWriteMs - poll.clock.now();
      await poll.pause(look, left, waitMs);
    }
  } finally {
    leave();
    poll.release();
  }
}

async function keyOf(provider: Provider, id: string, poll: Poll, looks: SharedLooks): Promise<string | null> {
  try {
    const { instance } = await looks.look(id, poll.signal);
    return (instance ?? (await provider.get(id, { signal: poll.signal })))?.key ?? null;
  } catch {
    return null;
  }
}

type Left = "gone" | "ending" | "alive";

/**
 * `ending`: it is on its way out. `alive`: nothing tells that it was terminated. What a shared listing no longer shows is
 * asked for with `get` when that decides (`isDue`): a read that is begun a whole lag after the end was accepted is true.
 */
async function whatIsLeft(
  provider: Provider,
  id: string,
  poll: Poll,
  looks: SharedLooks,
  isDue: boolean,
): Promise<Left> {
  const call = { signal: poll.signal };
  const { isShared, instance } = await looks.look(id, poll.signal);
  if (instance !== null) return leftOf([instance]);
  if (isShared && !isDue) return "gone";
  const one = await provider.get(id, call);
  const listed = isShared ? [] : await provider.list({ ids: [id] }, call);
  return leftOf(one === null ? listed : [one, ...listed]);
}

function leftOf(seen: readonly Instance[]): Left {
  const left = seen.filter(({ status }) => status !== "terminated");
  if (left.length === 0) return "gone";
  return left.every(({ status }) => status === "terminating") ? "ending" : "alive";
}
