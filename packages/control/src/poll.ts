import {
  abortError,
  type Clock,
  type Deadline,
  deadline,
  type ErrorEffect,
  guardedListener,
  isProviderError,
  type Operation,
  type RuntimeEvent,
  systemClock,
  timestamp,
} from "@slipway/core";

/** What every call of this package that waits takes. */
export interface WaitOptions {
  /** The whole call's time, milliseconds; past it the call rejects with TIMEOUT. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds between two looks. If absent they start close together and grow to two seconds. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Gets `wait` events, and `launch.adopted` and `placement.tried` of a launch. */
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
}

/** One wait: its clock, its end, and how it tells what it does. */
export interface Poll {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly emit: (event: RuntimeEvent) => void;
  /** Sleeps before the next look, at most `atMostMs` and what aligns it with other waits. Rejects with TIMEOUT or CANCELLED. */
  readonly pause: (look: number, atMostMs?: number, atLeastMs?: number) => Promise<void>;
  /** Rejects with TIMEOUT or CANCELLED if the wait is over. */
  readonly check: () => void;
  /** What an abort from now on has done to the remote. */
  readonly setEffect: (effect: ErrorEffect) => void;
  readonly release: () => void;
}

const FIRST_MS = 50;
const GROWTH = 1.5;
const LONGEST_MS = 2000;

/** `align` moves each look to the moment at which others look. */
export function startPoll(
  provider: string,
  operation: Operation,
  options: WaitOptions,
  defaultTimeoutMs?: number,
  align: (ms: number) => number = (ms) => ms,
): Poll {
  const clock = options.clock ?? systemClock;
  const limit: Deadline = deadline(clock, options.timeoutMs ?? defaultTimeoutMs, options.signal);
  const emit = options.onEvent === undefined ? (): void => undefined : guardedListener(options.onEvent);
  let effect: ErrorEffect = "none";

  const check = (): void => {
    if (limit.signal.aborted) throw abortError(limit.signal, { provider, operation, effect });
  };
  return {
    clock,
    signal: limit.signal,
    emit,
    check,
    setEffect: (now) => {
      effect = now;
    },
    release: limit.release,
    pause: async (look, atMostMs = Number.POSITIVE_INFINITY, atLeastMs = 0) => {
      check();
      const every = options.pollMs ?? Math.min(FIRST_MS * GROWTH ** look, LONGEST_MS);
      const ms = Math.ceil(Math.max(align(Math.min(every, atMostMs)), atLeastMs, 1));
      emit({ type: "wait", at: timestamp(clock), provider, reason: "poll", operation, ms });
      await clock.sleep(ms, limit.signal).catch((error: unknown) => {
        check();
        throw error;
      });
    },
  };
}

/** A failed look that the next look may mend: how long to wait for it at least; null if it is not one. */
export function mendsItself(error: unknown): number | null {
  if (!isProviderError(error) || !error.retryable || error.exhausted) return null;
  return error.retryAfterMs ?? 0;
}
