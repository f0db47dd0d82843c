import { type Instance, type Provider, projectProvider } from "@slipway/core";
import { type EndRecording, recordEnd } from "./launch/record-end.ts";
import { mendsItself, type Poll, startPoll, type WaitOptions } from "./poll.ts";

/** How `terminateAndConfirm` waits, and where it records the end. */
export interface TerminateOptions extends WaitOptions, EndRecording {}

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * Terminates the instance and resolves when `get` and `list` have agreed for one whole `limits.readAfterWriteMs` that it
 * is gone: then it costs nothing any more. An id that is unknown resolves in the same way. Rejects with TIMEOUT while
 * either of them still shows it: the instance may still cost money, and the caller calls again. With `store`, the record of
 * its launch is forgotten or kept as `ended`, so that `reconcile` does not find it missing.
 */
export async function terminateAndConfirm(exact: Provider, id: string, options: TerminateOptions = {}): Promise<void> {
  const provider: Provider = projectProvider<Provider>(exact);
  const { readAfterWriteMs } = provider.limits;
  const poll = startPoll(provider.name, "terminate", options, DEFAULT_TIMEOUT_MS);
  let sent: number | undefined;
  let goneSince: number | undefined;
  let key: string | null = null;
  try {
    for (let look = 0; ; look += 1) {
      poll.check();
      const begun = poll.clock.now();
      let waitMs = 0;
      try {
        if (sent === undefined) {
          // Its record is found by its key, which the remote may not tell once it is gone.
          if (options.store !== undefined) key ??= await keyOf(provider, id, poll);
          // From here on an abort cannot tell whether the remote has it.
          poll.setEffect("unknown");
          await provider.terminate(id, { signal: poll.signal });
          poll.setEffect("applied");
          sent = begun;
        }
        const seen = await whatIsLeft(provider, id, poll);
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
    poll.release();
  }
}

async function keyOf(provider: Provider, id: string, poll: Poll): Promise<string | null> {
  const instance = await provider.get(id, { signal: poll.signal }).catch(() => null);
  return instance?.key ?? null;
}

/** `ending`: it is on its way out. `alive`: nothing tells that it was terminated. */
async function whatIsLeft(provider: Provider, id: string, poll: Poll): Promise<"gone" | "ending" | "alive"> {
  const call = { signal: poll.signal };
  const one = await provider.get(id, call);
  const listed = await provider.list({ ids: [id] }, call);
  const seen: readonly Instance[] = one === null ? listed : [one, ...listed];
  const left = seen.filter((instance) => instance.status !== "terminated");
  if (left.length === 0) return "gone";
  return left.every((instance) => instance.status === "terminating") ? "ending" : "alive";
}
