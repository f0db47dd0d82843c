/** How many times as fast as real time the emulator runs; its limits and its lag with it. */
export const SPEED = 100;

// Processes that share an account share its limits: what one of them takes, the other one misses.
const PROCESSES = 2;

/** Half of the documented limits, as they are at that speed. */
export const LIMITS: { readonly requestsPerSecond: number; readonly secondsPerLaunch: number } = {
  requestsPerSecond: (1 * SPEED) / PROCESSES,
  secondsPerLaunch: (12 / SPEED) * PROCESSES,
};

/** Of the emulator's own time. */
export const READ_LAG_MS = 20_000;
/** Of real time: longer than the lag at that speed. */
export const READ_AFTER_WRITE_MS: number = (READ_LAG_MS / SPEED) * 2;

export const OWNER = "two-processes";
