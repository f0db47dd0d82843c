import type { Logger } from "@slipway/core";

/** Where the time of a spawn goes, in order. The bootstrap is not in it. */
export type SpawnStep = "lock" | "intent" | "files" | "sandbox" | "record" | "status";

/** Tells the log how long each step took, milliseconds, as `spawn step` at the debug level. */
export function stepTimes(log: Logger): (step: SpawnStep) => void {
  let begun = performance.now();
  return (step) => {
    const now = performance.now();
    log.debug("spawn step", { step, ms: now - begun });
    begun = now;
  };
}
