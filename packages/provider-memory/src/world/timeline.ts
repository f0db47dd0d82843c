/** What happens at the remote by itself, as time passes: a boot that ends, a deletion that is done. */
export interface Timeline {
  /** Plans something for a moment. It gets that moment, which may lie before the present by the time it runs. */
  readonly plan: (at: number, happen: (at: number) => void) => void;
  /** Lets everything happen that was due by now, in order of time. */
  readonly settle: (now: number) => void;
}

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly happen: (at: number) => void;
}

export function timeline(): Timeline {
  const planned: Planned[] = [];
  let order = 0;
  return {
    plan: (at, happen) => {
      const entry = { at, order: order++, happen };
      const later = planned.findIndex((other) => other.at > at);
      if (later === -1) planned.push(entry);
      else planned.splice(later, 0, entry);
    },
    settle: (now) => {
      // What happens may plan more, also for a moment that has passed.
      for (let next = planned[0]; next !== undefined && next.at <= now; next = planned[0]) {
        planned.shift();
        next.happen(next.at);
      }
    },
  };
}
