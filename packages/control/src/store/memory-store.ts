import { matchesFilter } from "./entries.ts";
import type { StoredRecord } from "./record.ts";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";

/** A store that ends with this process: for tests, and for providers whose spawn is idempotent by itself. */
export function memoryStore(): Store {
  const records = new Map<string, string>();
  const leases = new Map<string, string>();

  const mustHold = (id: string): void => {
    if (leases.has(id)) return;
    throw new StoreError("NOT_HELD", {
      message: `the lease of ${id} is not held`,
      hint: "Take the lease with acquire before writing.",
    });
  };
  // Kept as text, so that nobody can change a record from outside.
  const parsed = (text: string): StoredRecord => JSON.parse(text) as StoredRecord;

  return {
    acquire: async (id) => {
      if (leases.has(id)) return null;
      const token = crypto.randomUUID();
      leases.set(id, token);
      return { id, token, signal: new AbortController().signal, held: () => leases.get(id) === token };
    },
    read: async (id) => {
      const text = records.get(id);
      return text === undefined ? null : parsed(text);
    },
    write: async (id, record) => {
      mustHold(id);
      records.set(id, JSON.stringify(record));
    },
    remove: async (id) => {
      mustHold(id);
      records.delete(id);
    },
    release: async (lease) => {
      if (leases.get(lease.id) === lease.token) leases.delete(lease.id);
    },
    entries: async function* (filter) {
      // The ids of now: what is written meanwhile may be missed, and what is removed meanwhile is.
      for (const id of [...records.keys()]) {
        const text = records.get(id);
        const record = text === undefined ? null : parsed(text);
        if (record !== null && matchesFilter(record, filter)) yield { id, record };
      }
    },
    exclusion: "process",
  };
}
