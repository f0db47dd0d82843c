import type { StepRecord, StoredRecord } from "./record.ts";
import { withSteps } from "./run-steps.ts";
import { matchesFilter, type Store } from "./store.ts";
import { StoreError } from "./store-error.ts";

/**
 * A store that ends with this process: for tests, and for providers whose spawn is idempotent by itself.
 *
 * @example
 * ```ts
 * import { launch } from "@slipway/control";
 *
 * const kept = memoryStore();
 * await launch(provider, { key: "worker-1", spec: "m1.small" }, { store: kept });
 * ```
 */
export function memoryStore(): Store {
  // With what was added to it since, for one of a run.
  const records = new Map<string, { readonly text: string; readonly steps: string[] }>();
  const leases = new Map<string, string>();

  const mustHold = (id: string): void => {
    if (leases.has(id)) return;
    throw new StoreError("NOT_HELD", {
      message: `the lease of ${id} is not held`,
      hint: "Take the lease with acquire before writing.",
    });
  };
  // Kept as text, so that nobody can change a record from outside.
  const recordOf = (id: string): StoredRecord | null => {
    const kept = records.get(id);
    if (kept === undefined) return null;
    const record = JSON.parse(kept.text) as StoredRecord;
    if (record.kind !== "run") return record;
    return withSteps(
      record,
      kept.steps.map((step) => JSON.parse(step) as StepRecord),
    );
  };

  return {
    acquire: async (id) => {
      if (leases.has(id)) return null;
      const token = crypto.randomUUID();
      leases.set(id, token);
      return { id, token, signal: new AbortController().signal, held: () => leases.get(id) === token };
    },
    read: async (id) => recordOf(id),
    write: async (id, record) => {
      mustHold(id);
      records.set(id, { text: JSON.stringify(record), steps: [] });
    },
    appendStep: async (id, step) => {
      mustHold(id);
      records.get(id)?.steps.push(JSON.stringify(step));
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
        const record = recordOf(id);
        if (record !== null && matchesFilter(record, filter)) yield { id, record };
      }
    },
    exclusion: "process",
  };
}
