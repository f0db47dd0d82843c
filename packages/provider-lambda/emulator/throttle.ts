import type { Clock } from "@slipway/core";
import type { ResolvedSettings } from "./settings.ts";

// Times are sums of fractions: what lacks less than this is rounding.
const ROUNDING = 1e-6;

class Bucket {
  readonly #perMs: number;
  #tokens = 1;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1_000;
    this.#at = now;
  }

  /** How long until a request passes, milliseconds; 0 if it does now. */
  waitMs(now: number): number {
    this.#tokens = Math.min(1, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#tokens >= 1 - ROUNDING ? 0 : (1 - this.#tokens) / this.#perMs;
  }

  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}

/** Counts requests of all clients; answers how long the caller should have waited, or null if it passes. */
export function throttle(
  limits: ResolvedSettings["limits"],
  clock: Clock,
): (operation: string) => { readonly waitMs: number } | null {
  if (limits === null) return () => null;
  const all = new Bucket(limits.requestsPerSecond, clock.now());
  const launches = new Bucket(1 / limits.secondsPerLaunch, clock.now());
  return (operation) => {
    const drawn = operation === "launch" ? [all, launches] : [all];
    const waitMs = Math.max(...drawn.map((bucket) => bucket.waitMs(clock.now())));
    if (waitMs > 0) return { waitMs };
    for (const bucket of drawn) bucket.take();
    return null;
  };
}
