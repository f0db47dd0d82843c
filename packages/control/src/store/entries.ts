import type { RecordKind, StoredRecord } from "./record.ts";

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
