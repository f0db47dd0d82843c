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

/**
 * `nativeIdOf`: where a thing has several ids, what is the same in all of them.
 *
 * @example
 * ```ts
 * const written = writeCache<{ readonly status: string }>(clock, 10_000, (id) => id.slice(id.indexOf("/") + 1));
 * written.made("worker-1", "eu-west-1/i-1", { status: "pending" });
 * written.ofId("i-1")?.status; // => "pending"
 * ```
 */
export function writeCache<T>(
  clock: Clock,
  lagMs: number,
  nativeIdOf: (id: string) => string = (id) => id,
): WriteCache<T> {
  const made = expiring<{ readonly key: string; readonly id: string; readonly thing: T }>(clock, lagMs);
  const ended = expiring<true>(clock, lagMs);
  const unclear = expiring<number>(clock, lagMs);
  return {
    made: (key, id, thing) => {
      unclear.delete(key);
      made.set(nativeIdOf(id), { key, id, thing });
    },
    unclear: (key) => unclear.set(key, clock.now() + lagMs),
    ended: (id) => {
      made.delete(nativeIdOf(id));
      ended.set(nativeIdOf(id), true);
    },
    ofKey: (key) => {
      for (const { key: its, id, thing } of made.values()) if (its === key) return { id, thing };
      return undefined;
    },
    ofId: (id) => made.get(nativeIdOf(id))?.thing,
    isEnded: (id) => ended.get(nativeIdOf(id)) === true,
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
    values: function* (): Generator<V> {
      sweep();
      for (const { value } of entries.values()) yield value;
    },
  };
}
