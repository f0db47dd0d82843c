import type { RecordKind, StepRecord, StoredRecord } from "./record.ts";

/** The right to write one record, held by one process at a time. */
export interface Lease {
  readonly id: string;
  /** Unique for every lease that was ever taken. */
  readonly token: string;
  /**
   * Aborts when the lease may have been lost: stop what is under way, since another process may begin. Never where
   * `exclusion` is "process".
   */
  readonly signal: AbortSignal;
  /**
   * Is it held still? Asks nobody: it goes by this process's own monotonic clock, counted from before the last renewal was
   * sent, so that it is false before any other process can have the lease. Once it is false, send nothing more.
   */
  readonly held: () => boolean;
}

/**
 * What ends a lease whose holder is gone. `process`: its death, which the store can see; a lease is never lost while its
 * holder lives. `expiring`: time without a renewal; a holder that was paused or cut off for longer has lost it while it
 * lives, and every later write of it is refused.
 */
export type Exclusion = "process" | "expiring";

/**
 * Records under ids, each written by one process at a time. Two processes that share a store never launch the same key
 * twice; so a store that cannot answer must throw, and must never answer "nothing there" for a record that it cannot
 * read. The conformance cases are in `@slipway/contract-tests/stores`. Failures are StoreErrors.
 */
export interface Store {
  /**
   * Takes the lease of an id, whether or not there is a record. Null if another holder may still be alive, also one in
   * this process. Does not wait. A lease whose holder has died is free again; of several contenders exactly one gets it.
   */
  readonly acquire: (id: string) => Promise<Lease | null>;
  /** The last record written, or null if there never was one. Needs no lease. */
  readonly read: (id: string) => Promise<StoredRecord | null>;
  /** Resolves when the record would survive a power failure. NOT_HELD unless this store object holds the lease. */
  readonly write: (id: string, record: StoredRecord) => Promise<void>;
  /**
   * Adds a step to the record of a run, or replaces the one of its kind and name: `read` and `entries` answer the record with
   * it, until `write` replaces the record. Costs what the step costs, not what the record does. Resolves when it would
   * survive a power failure; one that a crash cut off counts as never added. NOT_HELD as `write`. Called for one id one
   * after the other, and only where there is a record of a run. Where it is absent, a run writes its whole record each time.
   */
  readonly appendStep?: ((id: string, step: StepRecord) => Promise<void>) | undefined;
  /** Forgets a record. NOT_HELD unless this store object holds the lease; the lease stays. */
  readonly remove: (id: string) => Promise<void>;
  /** Gives a lease back. One that is no longer held resolves. */
  readonly release: (lease: Lease) => Promise<void>;
  /**
   * The records that the filter wants, in any order, each id once, and never all in memory. Complete for what stood there
   * all the time, or it throws: an entry left out would make its instance an orphan. What cannot be read does not hide
   * the others: they come first, and then it throws CORRUPT or FORMAT with everything that could not be read.
   */
  readonly entries: (filter?: EntryFilter) => AsyncIterable<StoreEntry>;
  /** What ends the lease of a holder that is gone, and so what `launch` can promise (LAUNCH-05). */
  readonly exclusion: Exclusion;
  /** Gives up connections and timers; leases that are held end as if the process had died. */
  readonly close?: () => Promise<void>;
  /** Where a lease is kept, for a message to a person; absent if there is nothing to show. */
  readonly whereIs?: (id: string) => string;
}

/** What `launch` needs of a store. */
export type LaunchStore = Store;
/** What `runWorkflow` needs of a store. */
export type Journal = Store;

export interface StoreEntry {
  readonly id: string;
  readonly record: StoredRecord;
}

/** Which entries are wanted. What is absent does not matter; a record without a field that is asked for is not wanted. */
export interface EntryFilter {
  readonly kind?: RecordKind | undefined;
  readonly provider?: string | undefined;
  readonly account?: string | undefined;
  readonly owner?: string | undefined;
  /** Any of these. */
  readonly states?: readonly string[] | undefined;
}

/**
 * Does a filter want this record? For authors of stores, and the meaning of every filter of theirs.
 *
 * @example
 * ```ts
 * import { allEntries } from "@slipway/control";
 *
 * const entries = await allEntries(store);
 * entries.filter(({ record }) => matchesFilter(record, { kind: "launch", owner: "me" }));
 * ```
 */
export function matchesFilter(record: StoredRecord, filter: EntryFilter = {}): boolean {
  const { kind, states, provider, account, owner } = filter;
  if (kind !== undefined && record.kind !== kind) return false;
  if (states !== undefined && !states.includes(record.state)) return false;
  const about: { readonly provider?: string; readonly account?: string; readonly owner?: string } =
    record.kind === "run" ? {} : record.kind === "launch" ? record.identity : record;
  return (
    (provider === undefined || about.provider === provider) &&
    (account === undefined || about.account === account) &&
    (owner === undefined || about.owner === owner)
  );
}

/**
 * All entries that a filter wants, at once: for a store that is known to be small.
 *
 * @example
 * ```ts
 * await allEntries(store); // => []
 * ```
 */
export async function allEntries(
  store: { readonly entries: (filter?: EntryFilter) => AsyncIterable<StoreEntry> },
  filter?: EntryFilter,
): Promise<readonly StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.entries(filter)) entries.push(entry);
  return entries;
}
