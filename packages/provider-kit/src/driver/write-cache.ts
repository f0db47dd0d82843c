import type { Clock } from "@slipway/core";

/**
 * What this process wrote so shortly ago that reads may not show it. It counts no longer than reads may lag. `asOf`: when the
 * read began that it is laid over, now if absent. An answer that comes late shows no more than one that comes at once.
 */
export interface WriteCache<T> {
  readonly made: (key: string, id: string, thing: T) => void;
  /** A creation whose outcome is not known: the thing may be there, and not be listed yet. */
  readonly unclear: (key: string) => void;
  readonly ended: (id: string) => void;
  readonly ofKey: (key: string, asOf?: number) => { readonly id: string; readonly thing: T } | undefined;
  readonly ofId: (id: string, asOf?: number) => T | undefined;
  readonly isEnded: (id: string, asOf?: number) => boolean;
  /** Until when a creation of this key may still come to light; undefined if there was none. */
  readonly unclearUntil: (key: string, asOf?: number) => number | undefined;
}

// No read takes longer, with all that it is tried again.
const LONGEST_READ_MS = 600_000;

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
  const made = expiring<{ readonly id: string; readonly thing: T }>(clock, lagMs);
  const nativeIds = expiring<string>(clock, lagMs);
  const ended = expiring<true>(clock, lagMs);
  const unclear = expiring<number>(clock, lagMs);
  return {
    made: (key, id, thing) => {
      unclear.delete(key);
      made.set(nativeIdOf(id), { id, thing });
      nativeIds.set(key, nativeIdOf(id));
    },
    unclear: (key) => unclear.set(key, clock.now() + lagMs),
    ended: (id) => {
      made.delete(nativeIdOf(id));
      ended.set(nativeIdOf(id), true);
    },
    ofKey: (key, asOf) => {
      const nativeId = nativeIds.get(key, asOf);
      return nativeId === undefined ? undefined : made.get(nativeId, asOf);
    },
    ofId: (id, asOf) => made.get(nativeIdOf(id), asOf)?.thing,
    isEnded: (id, asOf) => ended.get(nativeIdOf(id), asOf) === true,
    unclearUntil: (key, asOf) => unclear.get(key, asOf),
  };
}

/** A map whose entries count for a time, and go some time after; the oldest stands first, so that few are looked at. */
function expiring<V>(clock: Clock, lifeMs: number) {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  const sweep = (): void => {
    for (const [id, { until }] of entries) {
      if (until + LONGEST_READ_MS > clock.now()) return;
      entries.delete(id);
    }
  };
  return {
    set: (id: string, value: V): void => {
      sweep();
      entries.delete(id);
      entries.set(id, { value, until: clock.now() + lifeMs });
    },
    get: (id: string, asOf: number = clock.now()): V | undefined => {
      const entry = entries.get(id);
      return entry !== undefined && entry.until > asOf ? entry.value : undefined;
    },
    delete: (id: string): void => {
      entries.delete(id);
    },
  };
}
