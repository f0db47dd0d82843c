/** Runs works side by side, at most so many at once, in the order in which they came. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>;

export function atMost(many: number): AtMost {
  let free = many;
  const waiting: (() => void)[] = [];
  let next = 0;
  const leave = (): void => {
    const first = waiting[next];
    if (first === undefined) {
      free += 1;
      return;
    }
    next += 1;
    // Spent places are given back in large pieces: to shift each one would move all that wait.
    if (next > 1000 && next * 2 > waiting.length) {
      waiting.splice(0, next);
      next = 0;
    }
    first();
  };
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
