import type { Clock } from "@slipway/core";

/** What this process wrote so shortly ago that reads may not show it. Nothing is kept longer than reads may lag. */
export interface WriteCache<T> {
  readonly made: (key: string, id: string, thing: T) => void;
  /** A creation whose outcome is not known: the thing may be there, and not be listed yet. */
  readonly unclear: (key: string) => void;
  readonly ended: (id: string) => void;
  readonly ofKey: (key: string) => { readonly id: string; readonly thing: T } | undefined;
  readonly ofId: (id: string) => T | undefined;
  readonly isEnded: (id: string) => boolean;
  /** Until when a creation of this key may still come to light; undefined if there was none. */
  readonly unclearUntil: (key: string) => number | undefined;
}

export function writeCache<T>(clock: Clock, lagMs: number): WriteCache<T> {
  const made = expiring<{ readonly key: string; readonly thing: T }>(clock, lagMs);
  const ended = expiring<true>(clock, lagMs);
  const unclear = expiring<number>(clock, lagMs);
  return {
    made: (key, id, thing) => {
      unclear.delete(key);
      made.set(id, { key, thing });
    },
    unclear: (key) => unclear.set(key, clock.now() + lagMs),
    ended: (id) => {
      made.delete(id);
      ended.set(id, true);
    },
    ofKey: (key) => {
      for (const [id, entry] of made.entries()) if (entry.key === key) return { id, thing: entry.thing };
      return undefined;
    },
    ofId: (id) => made.get(id)?.thing,
    isEnded: (id) => ended.get(id) === true,
    unclearUntil: (key) => unclear.get(key),
  };
}

/** A map whose entries go when their time is over; the oldest stands first, so that few are looked at. */
function expiring<V>(clock: Clock, lifeMs: number) {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  const sweep = (): void => {
    for (const [id, { until }] of entries) {
      if (until > clock.now()) return;
      entries.delete(id);
    }
  };
  return {
    set: (id: string, value: V): void => {
      sweep();
      entries.delete(id);
      entries.set(id, { value, until: clock.now() + lifeMs });
    },
    get: (id: string): V | undefined => {
      sweep();
      return entries.get(id)?.value;
    },
    delete: (id: string): void => {
      entries.delete(id);
    },
    entries: function* (): Generator<readonly [string, V]> {
      sweep();
      for (const [id, { value }] of entries) yield [id, value];
    },
  };
}
