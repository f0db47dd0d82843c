import type { Clock } from "@slipway/core";

export interface SimulatedClockOptions {
  /** Where time begins, ISO 8601 UTC. */
  readonly start?: string | undefined;
  /**
   * True (the default): whenever everybody sleeps, time jumps to the next who wakes. False: it moves by `advance` alone.
   */
  readonly auto?: boolean | undefined;
}

/** A clock whose time passes at once. The same calls give the same times on every machine. */
export interface SimulatedClock extends Clock {
  /** Moves time on and wakes those whose time has come, in order. */
  readonly advance: (ms: number) => Promise<void>;
  /** Stops automatic time while real work (a process, a file) is under way; call what it answers when that is done. */
  readonly hold: () => () => void;
  /** How many sleep now. */
  readonly sleepers: number;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

export function simulatedClock(options: SimulatedClockOptions = {}): SimulatedClock {
  const auto = options.auto ?? true;
  let now = Date.parse(options.start ?? "2026-01-01T00:00:00.000Z");
  if (Number.isNaN(now)) throw new TypeError(`start must be a time as 2026-01-31T12:00:00Z`);
  let order = 0;
  let holds = 0;
  let ticking = false;
  let sleepers: Sleeper[] = [];

  // An immediate runs after all promises that can go on have gone on: only then does everybody sleep.
  const tickSoon = (): void => {
    if (!auto || ticking || holds > 0 || sleepers.length === 0) return;
    ticking = true;
    setImmediate(() => {
      ticking = false;
      if (holds === 0 && !wakeNext(Number.POSITIVE_INFINITY)) return;
      tickSoon();
    });
  };

  function wakeNext(until: number): boolean {
    const next = sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) =>
        first === undefined || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order)
          ? sleeper
          : first,
      undefined,
    );
    // Who sleeps without end is woken by a signal only.
    if (next === undefined || next.at > until || next.at === Number.POSITIVE_INFINITY) return false;
    sleepers = sleepers.filter((sleeper) => sleeper !== next);
    now = Math.max(now, next.at);
    next.wake();
    return true;
  }

  function hold(): () => void {
    holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      holds -= 1;
      tickSoon();
    };
  }

  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (Number.isNaN(ms)) throw new TypeError("sleep needs a number of milliseconds");
        const aborted = (): void => {
          sleepers = sleepers.filter((sleeper) => sleeper !== entry);
          reject(signal?.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
        };
        const entry: Sleeper = {
          at: now + Math.max(0, ms),
          order: order++,
          wake: () => {
            signal?.removeEventListener("abort", aborted);
            resolve();
          },
        };
        if (signal?.aborted === true) return aborted();
        signal?.addEventListener("abort", aborted, { once: true });
        sleepers.push(entry);
        tickSoon();
      }),
    advance: async (ms) => {
      const until = now + Math.max(0, ms);
      // Automatic time would jump past the moment that is advanced to.
      const release = hold();
      try {
        do await new Promise((resolve) => setImmediate(resolve));
        while (wakeNext(until));
        now = Math.max(now, until);
      } finally {
        release();
      }
    },
    hold,
    get sleepers() {
      return sleepers.length;
    },
  };
}
