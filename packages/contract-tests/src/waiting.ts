import type { Clock } from "@slipway/core";

/** On which clock the suite waits, and for how long at most. */
export interface Patience {
  readonly clock: Clock;
  readonly patienceMs: number;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
// What takes ten minutes is not looked at every second: a pause is never longer than this part of what was waited already.
const PART = 0.1;

/** Reads until `done`, with growing pauses on the harness's clock, and answers what was read last, done or not. */
export async function eventually<T>(
  { clock, patienceMs }: Patience,
  read: () => Promise<T>,
  done: (value: T) => boolean,
): Promise<T> {
  const since = clock.now();
  const until = since + patienceMs;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const value = await read();
    const left = until - clock.now();
    if (done(value) || left <= 0) return value;
    await clock.sleep(Math.min(pause, left));
    // Whole milliseconds: a remote writes its clock's time into names.
    pause = Math.min(pause * 2, Math.max(LONGEST_PAUSE_MS, Math.round((clock.now() - since) * PART)));
  }
}
