// Levels are sums of fractions: what lacks less than this is rounding. A take pays it back, so that nothing adds up.
const ROUNDING = 1e-9;

/** A token bucket on a time that only goes forward. It starts full. */
export class Bucket {
  readonly capacity: number;
  readonly #perMs: number;
  #level: number;
  #levelAt: number;
  #haltedUntil = Number.NEGATIVE_INFINITY;

  constructor(capacity: number, refillPerSecond: number, now: number) {
    this.capacity = capacity;
    this.#perMs = refillPerSecond / 1000;
    this.#level = capacity;
    this.#levelAt = now;
  }

  /** The first moment, from `now` on, at which so many tokens are there; `now` itself if they are. */
  readyAt(cost: number, now: number): number {
    const lacking = cost - this.#levelOf(now);
    const refilled = lacking <= ROUNDING ? now : now + lacking / this.#perMs;
    return Math.max(refilled, this.#haltedUntil);
  }

  take(cost: number, now: number): void {
    if (this.capacity === Number.POSITIVE_INFINITY) return;
    this.#level = this.#levelOf(now) - cost;
    this.#levelAt = now;
  }

  isHalted(now: number): boolean {
    return this.#haltedUntil > now;
  }

  /** False if it is halted for longer already. */
  halt(until: number): boolean {
    if (until <= this.#haltedUntil) return false;
    this.#haltedUntil = until;
    return true;
  }

  #levelOf(now: number): number {
    return Math.min(this.capacity, this.#level + (now - this.#levelAt) * this.#perMs);
  }
}
