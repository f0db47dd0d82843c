import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@slipway/core";

export interface SimulatedClock extends Clock {
  /** Goes from one sleeper's end to the next until that time has passed, and lets everything run in between. */
  readonly advance: (ms: number) => Promise<void>;
  /** The same, but whoever sleeps until that very moment sleeps on until the next advance. */
  readonly advanceBefore: (ms: number) => Promise<void>;
  /** Steps the reading without any time passing, as a clock that is set. */
  readonly set: (by: number) => void;
  readonly sleepers: () => number;
}

export function simulatedClock(): SimulatedClock {
  let time = 0;
  let offset = 1_700_000_000_000;
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>();
  const advance = async (end: number, isDue: (until: number) => boolean): Promise<void> => {
    for (;;) {
      await turn();
      const next = [...sleeping].toSorted((a, b) => a.until - b.until)[0];
      if (next === undefined || !isDue(next.until)) break;
      time = Math.max(time, next.until);
      sleeping.delete(next);
      next.wake();
    }
    time = end;
  };
  return {
    now: () => time + offset,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: time + ms, wake: resolve };
        sleeping.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleeping.delete(sleeper);
          reject(new Error("aborted"));
        });
      }),
    advance: (ms) => {
      const end = time + ms;
      return advance(end, (until) => until <= end);
    },
    advanceBefore: (ms) => {
      const end = time + ms;
      return advance(end, (until) => until < end);
    },
    set: (by) => {
      offset += by;
    },
    sleepers: () => sleeping.size,
  };
}
