import type { Clock } from "@slipway/core";

/**
 * What this process has made just now, and reads may not show yet. Only a bridge over the remote's lag: nothing is
 * kept longer than that.
 */
export interface ReadAfterWriteCache<T> {
  readonly add: (name: string, id: string, thing: T) => void;
  readonly find: (name: string) => { readonly id: string; readonly thing: T } | undefined;
  readonly byId: (id: string) => T | undefined;
  /** It was ended by this process, or is known to be gone. */
  readonly drop: (id: string) => void;
}

export function readAfterWriteCache<T>(clock: Clock, windowMs: number): ReadAfterWriteCache<T> {
  const entries = new Map<string, { readonly name: string; readonly thing: T; readonly until: number }>();
  const sweep = (): void => {
    const now = clock.now();
    for (const [id, { until }] of entries) if (until <= now) entries.delete(id);
  };
  return {
    add: (name, id, thing) => {
      sweep();
      entries.set(id, { name, thing, until: clock.now() + windowMs });
    },
    find: (name) => {
      sweep();
      for (const [id, entry] of entries) if (entry.name === name) return { id, thing: entry.thing };
      return undefined;
    },
    byId: (id) => {
      sweep();
      return entries.get(id)?.thing;
    },
    drop: (id) => {
      entries.delete(id);
    },
  };
}
