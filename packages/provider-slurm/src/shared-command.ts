import { type CommandResult, isProviderError } from "@slipway/core";
import type { Call, SingleFlight } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";

interface Batch {
  /** Each as often as somebody waits for it. */
  readonly asked: string[];
  isSent: boolean;
}

type Together = (call: Call, number: string) => Promise<CommandResult & { readonly isAlone: boolean }>;

/**
 * One command for all who ask while another is under way. Who asks alone does not wait. Who leaves before it is sent is not
 * in it; for one that leaves later the outcome is unknown.
 */
export function together(
  shared: SingleFlight,
  bucket: string,
  run: (call: Call, numbers: readonly string[]) => Promise<CommandResult>,
): Together {
  const batches = new Map<string, Batch>();
  let last: Promise<unknown> = Promise.resolve();
  return async (call, number) => {
    const answer = shared.read(bucket, call, async (signal) => {
      const started: Batch = { asked: [], isSent: false };
      batches.set(call.operation, started);
      await last;
      signal.throwIfAborted();
      shared.sent(bucket);
      started.isSent = true;
      const numbers = new Set(started.asked);
      const answered = run({ ...call, signal }, [...numbers]);
      last = answered.catch(() => undefined);
      return { ...(await answered), isAlone: numbers.size === 1 };
    });
    // The one that is joined, or was started just now.
    const batch = batches.get(call.operation);
    batch?.asked.push(number);
    try {
      return await answer;
    } catch (error) {
      if (batch?.isSent === false) batch.asked.splice(batch.asked.indexOf(number), 1);
      else if (isProviderError(error) && call.signal?.aborted === true) throw withEffect(error, "unknown");
      throw error;
    }
  };
}
