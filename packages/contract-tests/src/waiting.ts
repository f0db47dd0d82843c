import type { Clock } from "@slipway/core";

/** On which clock the suite waits, and for how long at most. */
export interface Patience {
  readonly clock: Clock;
  readonly patienceMs: number;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/** Reads until `done`, with growing pauses on the harness's clock, and answers what was read last, done or not. */
export async function eventually<T>(
  { clock, patienceMs }: Patience,
  read: () => Promise<T>,
  done: (value: T) => boolean,
): Promise<T> {
  const until = clock.now() + patienceMs;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const value = await read();
    const left = until - clock.now();
    if (done(value) || left <= 0) return value;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}
