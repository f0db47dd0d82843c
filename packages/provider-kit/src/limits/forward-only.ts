import type { Clock } from "@slipway/core";

/**
 * Milliseconds that have passed since the first reading, by a clock that may be set back: such a step counts as no time,
 * where it would otherwise stop every bucket until the old time has come again.
 */
export function forwardOnly(clock: Clock): () => number {
  let last = clock.now();
  let passed = 0;
  return () => {
    const present = clock.now();
    passed += Math.max(0, present - last);
    last = present;
    return passed;
  };
}
