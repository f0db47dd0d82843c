import type { Clock } from "@slipway/core";

/** What this process did to a key a moment ago: made a thing, or asked for one and heard nothing. */
export type Trace<T> =
  | { readonly made: T; readonly until: number }
  | { readonly made: undefined; readonly until: number };

/** What reads may not show yet, by key. Nothing is kept longer than reads may lag. */
export interface Recent<T extends { readonly id: string }> {
  readonly made: (key: string, thing: T) => void;
  /** A write whose outcome is unclear: the thing may be there, and not be listed yet. */
  readonly unclear: (key: string) => void;
  readonly of: (key: string) => Trace<T> | undefined;
  readonly byId: (id: string) => T | undefined;
  /** This process has ended it. */
  readonly ended: (id: string) => void;
  readonly isEnded: (id: string) => boolean;
}

export function recent<T extends { readonly id: string }>(clock: Clock, lagMs: number): Recent<T> {
  const traces = new Map<string, Trace<T>>();
  const gone = new Map<string, number>();
  const current = (): Map<string, Trace<T>> => {
    for (const [key, { until }] of traces) if (until <= clock.now()) traces.delete(key);
    return traces;
  };
  return {
    made: (key, thing) => current().set(key, { made: thing, until: clock.now() + lagMs }),
    unclear: (key) => current().set(key, { made: undefined, until: clock.now() + lagMs }),
    of: (key) => current().get(key),
    byId: (id) => [...current().values()].find(({ made }) => made?.id === id)?.made,
    ended: (id) => {
      for (const [key, { made }] of traces) if (made?.id === id) traces.delete(key);
      for (const [other, until] of gone) if (until <= clock.now()) gone.delete(other);
      gone.set(id, clock.now() + lagMs);
    },
    isEnded: (id) => (gone.get(id) ?? 0) > clock.now(),
  };
}
