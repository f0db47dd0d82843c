import type { StoredRecord } from "./record.ts";

/** The right to write one record, held by one process at a time. */
export interface Lease {
  readonly id: string;
  /** Unique for every lease that was ever taken. */
  readonly token: string;
}

export interface StoreEntry {
  readonly id: string;
  readonly record: StoredRecord;
}

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
  /** Forgets a record. NOT_HELD unless this store object holds the lease; the lease stays. */
  readonly remove: (id: string) => Promise<void>;
  /** Gives a lease back. One that is no longer held resolves. */
  readonly release: (lease: Lease) => Promise<void>;
  /** Every record. Complete, or it throws: an entry left out would make its instance an orphan. */
  readonly entries: () => Promise<readonly StoreEntry[]>;
  /** Where a lease is kept, for a message to a person; absent if there is nothing to show. */
  readonly whereIs?: (id: string) => string;
}

/** What `launch` needs of a store. */
export type LaunchStore = Store;
/** What `runWorkflow` needs of a store. */
export type Journal = Store;
