import {
  abortError,
  type Clock,
  canLog,
  type Deadline,
  deadline,
  type ErrorEffect,
  guardedListener,
  type Instance,
  isProviderError,
  type Operation,
  type Provider,
  type RuntimeEvent,
  systemClock,
  timestamp,
} from "@slipway/core";
import type { SharedLooks } from "./shared-looks.ts";

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

interface Wanted {
  /** Must a read show the instance by now, however late reads may be? */
  readonly mustShow: () => boolean;
  /** Would this end the wait? Then `get` has the last word, since it may ask more than a listing. */
  readonly isFinal: (listed: Instance) => boolean;
}

/** A look: the instance, null if there is none, or how many milliseconds a failed look asks to wait at least. */
export type Look = () => Promise<Instance | null | number>;

/**
 * Looks at one instance, out of the shared listing where that says enough. An instance that a listing does not show is
 * looked for with `get`, once as long as reads may be late: its absence alone proves nothing.
 */
export function lookerAt(
  provider: Provider,
  id: string,
  poll: Poll,
  looks: SharedLooks,
  { mustShow, isFinal }: Wanted,
): Look {
  let wasUnseen = false;
  return async () => {
    try {
      const { isShared, instance } = await looks.look(id, poll.signal);
      if (instance !== null && !isFinal(instance)) return instance;
      if (instance === null && isShared && wasUnseen && !mustShow()) return null;
      const seen = await provider.get(id, { signal: poll.signal });
      wasUnseen = seen === null;
      return seen;
    } catch (error) {
      poll.check();
      const waitMs = mendsItself(error);
      if (waitMs === null) throw error;
      return waitMs;
    }
  };
}

const MOST_LINES = 20;
const MOST_CHARACTERS = 2000;
const PATIENCE_MS = 5000;

/**
 * What the instance printed last, as the end of a message, or nothing. It is a help for a person: where the provider has
 * no logs, or they cannot be read, the message stands without it.
 */
export async function lastLines(provider: Provider, id: string, clock: Clock): Promise<string> {
  if (!canLog(provider)) return "";
  const limit = deadline(clock, PATIENCE_MS);
  const lines: string[] = [];
  const read = async (): Promise<void> => {
    for await (const line of provider.logs(id, { signal: limit.signal })) {
      lines.push(line);
      if (lines.length > MOST_LINES) lines.shift();
      if (limit.signal.aborted) return;
    }
  };
  const over = new Promise<void>((resolve) => limit.signal.addEventListener("abort", () => resolve(), { once: true }));
  // Neither a failing log nor one that does not end may hide why the wait ended.
  await Promise.race([read().catch(() => undefined), over]);
  limit.release();
  return linesAtEnd(lines);
}

/** Lines as the end of a message; nothing if there are none. */
export function linesAtEnd(lines: readonly string[]): string {
  const text = lines.slice(-MOST_LINES).join("\n").slice(-MOST_CHARACTERS).trim();
  return text === "" ? "" : `; its last lines:\n${text}`;
}
