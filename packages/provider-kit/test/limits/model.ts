/** A bucket in whole numbers: it gains one token in `periodMs`. */
export interface ModelBucket {
  readonly capacity: number;
  readonly periodMs: number;
}

export interface ModelCall {
  readonly at: number;
  readonly cost: number;
  /** Indices of the buckets that it draws from. */
  readonly draws: readonly number[];
  /** When the caller gives up. */
  readonly until?: number | undefined;
}

/**
 * The plainest pacing there is: millisecond by millisecond, everyone who waits is asked one after the other. Answers when each call
 * may go; null for one that gave up or did not get its turn in time.
 */
export function modelTimes(
  buckets: readonly ModelBucket[],
  calls: readonly ModelCall[],
  halts: readonly { readonly at: number; readonly until: number; readonly bucket: number }[],
  endMs: number,
): readonly (number | null)[] {
  // A level counts the milliseconds of refill that lie in the bucket.
  const levels = buckets.map((bucket) => bucket.capacity * bucket.periodMs);
  const times: (number | null)[] = calls.map(() => null);
  const done = new Set<number>();
  const serve = (now: number): void => {
    const kept = new Set<number>();
    for (const [index, call] of calls.entries()) {
      if (call.at > now || done.has(index)) continue;
      const short = call.draws.filter((at) => {
        const halted = halts.some((halt) => halt.bucket === at && halt.at <= now && now < halt.until);
        return halted || (levels[at] ?? 0) < call.cost * (buckets[at]?.periodMs ?? 0);
      });
      if (short.length === 0 && !call.draws.some((at) => kept.has(at))) {
        for (const at of call.draws) levels[at] = (levels[at] ?? 0) - call.cost * (buckets[at]?.periodMs ?? 0);
        times[index] = now;
        done.add(index);
      } else {
        for (const at of short) kept.add(at);
      }
    }
  };
  for (let now = 0; now <= endMs; now += 1) {
    for (const [index, call] of calls.entries()) {
      if (call.until !== now || done.has(index)) continue;
      done.add(index);
      serve(now);
    }
    serve(now);
    for (const [at, bucket] of buckets.entries()) {
      levels[at] = Math.min(bucket.capacity * bucket.periodMs, (levels[at] ?? 0) + 1);
    }
  }
  return times;
}
