import { type Clock, systemClock } from "@slipway/core";

export interface ScaledClockOptions {
  /**
   * The moment at which scaled and real time are the same, milliseconds since the epoch: processes that share it share
   * the time. Absent: now.
   */
  readonly origin?: number | undefined;
  /** What is scaled; the machine's own clock if absent. */
  readonly base?: Clock | undefined;
}

// A timer of more milliseconds than 31 bits hold would fire at once.
const LONGEST_MS = 2 ** 31 - 1;

/** A clock that runs `speed` times as fast as the real one: for emulators behind a thin executable or a server. */
export function scaledClock(speed: number, options: ScaledClockOptions = {}): Clock {
  if (!(speed > 0 && Number.isFinite(speed))) throw new TypeError("speed must be a number above 0");
  const { base = systemClock } = options;
  const origin = options.origin ?? base.now();
  return {
    now: () => origin + (base.now() - origin) * speed,
    sleep: async (ms, signal) => {
      let left = Math.max(0, ms) / speed;
      do {
        const part = Math.min(left, LONGEST_MS);
        await base.sleep(part, signal);
        left -= part;
      } while (left > 0);
    },
  };
}
