import type { Bucket } from "./bucket.ts";

export interface Waiter {
  readonly buckets: readonly Bucket[];
  readonly cost: number;
  served: boolean;
  readonly grant: () => void;
  /** Says how long it has to wait, as far as is known now. */
  readonly tell: () => void;
}

/** Everyone who waits, in the order in which they came. */
export class Queue {
  readonly #waiters = new Set<Waiter>();

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  waiting(): readonly Waiter[] {
    return [...this.#waiters];
  }

  /**
   * Lets go everyone who may go now; the moment at which to look again, or null if nobody waits.
   *
   * A bucket that lacks tokens for someone is reserved for them: nobody later draws from it before. A bucket that has
   * enough for someone who waits for another one is not, or one slow operation would hold up all the quick ones.
   */
  serve(now: number): number | null {
    const reserved = new Set<Bucket>();
    let next: number | null = null;
    for (const waiter of this.#waiters) {
      const isShort = (bucket: Bucket): boolean => bucket.readyAt(waiter.cost, now) > now;
      if (!waiter.buckets.some((bucket) => reserved.has(bucket) || isShort(bucket))) {
        for (const bucket of waiter.buckets) bucket.take(waiter.cost, now);
        this.#waiters.delete(waiter);
        waiter.served = true;
        waiter.grant();
        continue;
      }
      for (const bucket of waiter.buckets.filter(isShort)) {
        reserved.add(bucket);
        // Also where it is not the last that this one waits for: from then on it is not reserved any more.
        next = Math.min(next ?? Number.POSITIVE_INFINITY, bucket.readyAt(waiter.cost, now));
      }
    }
    return next;
  }

  /**
   * How long a waiter waits at least: what those before it draw from each of its buckets, and its own. Exact where they
   * wait for one bucket only.
   */
  shortestWait(waiter: Waiter, now: number): { readonly ms: number; readonly halted: boolean } {
    let ms = 0;
    for (const bucket of waiter.buckets) {
      let needed = waiter.cost;
      for (const other of this.#waiters) {
        if (other === waiter) break;
        if (other.buckets.includes(bucket)) needed += other.cost;
      }
      ms = Math.max(ms, bucket.readyAt(needed, now) - now);
    }
    return { ms, halted: waiter.buckets.some((bucket) => bucket.isHalted(now)) };
  }
}
