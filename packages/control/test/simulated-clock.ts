import type { Clock } from "@slipway/core";

interface Timer {
  readonly at: number;
  readonly auto: boolean;
  readonly fire: () => void;
}

export interface SimulatedClock extends Clock {
  /** Moves time on, and fires what has come due. */
  readonly advance: (ms: number) => void;
  /** How much time the sleepers have had to wait. */
  readonly elapsed: () => number;
}

const START = Date.parse("2026-01-01T00:00:00Z");

/**
 * A clock whose sleepers never wait: as soon as the program has nothing else to do, time moves on to the next of them.
 * Longer sleeps than `autoMs` are time limits in the background; they fire when time passes them for another reason.
 */
export function simulatedClock(autoMs = 60_000): SimulatedClock {
  let now = START;
  let timers: Timer[] = [];
  let scheduled = false;

  const moveTo = (time: number): void => {
    now = Math.max(now, time);
    const due = timers.filter((timer) => timer.at <= now).sort((a, b) => a.at - b.at);
    timers = timers.filter((timer) => timer.at > now);
    for (const timer of due) timer.fire();
  };
  const schedule = (): void => {
    if (scheduled || !timers.some((timer) => timer.auto)) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const next = timers.reduce(
        (least, { auto, at }) => (auto ? Math.min(least, at) : least),
        Number.POSITIVE_INFINITY,
      );
      if (next < Number.POSITIVE_INFINITY) moveTo(next);
      schedule();
    });
  };

  return {
    now: () => now,
    elapsed: () => now - START,
    advance: (ms) => moveTo(now + ms),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const onAbort = (): void => {
          timers = timers.filter((one) => one !== timer);
          reject(signal?.reason as Error);
        };
        const timer: Timer = {
          at: now + ms,
          auto: ms <= autoMs,
          fire: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        timers.push(timer);
        schedule();
      }),
  };
}
