/** Time as it is injected everywhere: nothing in Slipway reads another clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds; rejects with the signal's reason as soon as it aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

// A longer timer fires at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    let left = ms;
    for (; left > LONGEST_TIMER_MS; left -= LONGEST_TIMER_MS) await timer(LONGEST_TIMER_MS, signal);
    await timer(left, signal);
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(asError(signal.reason));
    const onAbort = (): void => {
      clearTimeout(running);
      reject(asError(signal?.reason));
    };
    const running = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException("This operation was aborted", "AbortError");
}

/**
 * ISO 8601 UTC of the clock's present.
 *
 * @example
 * ```ts
 * import { systemClock } from "@slipway/core";
 *
 * timestamp({ ...systemClock, now: () => 0 }); // => "1970-01-01T00:00:00.000Z"
 * ```
 */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

/** A signal that ends when the call's own signal does or its time is over, and what releases it. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called when the work is done, or the clock would keep counting. */
  readonly release: () => void;
}

/**
 * Joins a caller's signal and a time limit on the injected clock. Past the limit the signal's reason is a `TimeoutError`,
 * as `AbortSignal.timeout` would give it, so that `abortError` tells the two apart.
 *
 * @example
 * ```ts
 * import { systemClock } from "@slipway/core";
 *
 * const limit = deadline(systemClock, 30_000, signal);
 * try {
 *   await systemClock.sleep(10, limit.signal);
 * } finally {
 *   limit.release();
 * }
 * ```
 */
export function deadline(clock: Clock, timeoutMs: number | undefined, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const stop = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  if (timeoutMs !== undefined && !controller.signal.aborted) {
    clock.sleep(timeoutMs, stop.signal).then(
      () => controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
      // Released before its time: nothing to do.
      () => undefined,
    );
  }
  return {
    signal: controller.signal,
    release: () => {
      signal?.removeEventListener("abort", onAbort);
      stop.abort();
    },
  };
}
