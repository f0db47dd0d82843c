/** Rows with their past, so that a read can be late. Rows are never changed in place. */
export interface Table<T extends { readonly id: string }> {
  readonly put: (row: T, at: number) => void;
  readonly remove: (id: string, at: number) => void;
  /** What is true. */
  readonly current: (id: string) => T | undefined;
  readonly all: () => readonly T[];
  /** What a read sees that misses everything written after `asOf`. */
  readonly seen: (id: string, asOf: number) => T | undefined;
  readonly allSeen: (asOf: number) => readonly T[];
}

interface Version<T> {
  readonly at: number;
  readonly row: T | undefined;
}

/** Versions older than `retentionMs` are dropped, the newest of them kept. */
export function table<T extends { readonly id: string }>(retentionMs: number): Table<T> {
  const histories = new Map<string, Version<T>[]>();

  const removed: { readonly id: string; readonly at: number }[] = [];

  function add(id: string, version: Version<T>): void {
    forget(version.at - retentionMs);
    const history = histories.get(id) ?? [];
    history.push(version);
    const outdated = history.findLastIndex((older) => older.at < version.at - retentionMs);
    if (outdated > 0) history.splice(0, outdated);
    histories.set(id, history);
  }
  /** Lets go of what no read can see any more. */
  function forget(before: number): void {
    for (let oldest = removed[0]; oldest !== undefined && oldest.at < before; oldest = removed[0]) {
      removed.shift();
      if (histories.get(oldest.id)?.at(-1)?.row === undefined) histories.delete(oldest.id);
    }
  }
  const current = (id: string): T | undefined => histories.get(id)?.at(-1)?.row;
  const seen = (id: string, asOf: number): T | undefined =>
    histories.get(id)?.findLast((version) => version.at <= asOf)?.row;
  const every = (look: (id: string) => T | undefined): readonly T[] =>
    [...histories.keys()].map(look).filter((row) => row !== undefined);

  return {
    put: (row, at) => add(row.id, { at, row }),
    remove: (id, at) => {
      add(id, { at, row: undefined });
      removed.push({ id, at });
    },
    current,
    all: () => every(current),
    seen,
    allSeen: (asOf) => every((id) => seen(id, asOf)),
  };
}
