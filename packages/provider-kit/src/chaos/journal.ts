import type { ErrorCode, ErrorScope } from "@slipway/core";
import type { ChaosConstraints, ChaosDrift, ChaosFault, ChaosPlan, DriftAction } from "./plan.ts";

interface EntryBase {
  /** Number of the call over all operations, from 1. */
  readonly call: number;
  readonly operation: string;
  /** Number of the call among those of its operation, from 1. */
  readonly nth: number;
}

/** One thing that was done to a call or to the world. */
export type ChaosEntry =
  | (EntryBase & {
      readonly kind: "fault";
      readonly when: ChaosFault["when"];
      readonly code?: ErrorCode;
      readonly scope?: ErrorScope;
      readonly retryAfterMs?: number;
      readonly delayMs?: number;
    })
  | (EntryBase & { readonly kind: "constraint"; readonly code: ErrorCode; readonly what: string })
  | (EntryBase & {
      readonly kind: "drift";
      readonly action: DriftAction;
      /** The instance, by its number among the spawned ones; null for an unmanaged machine. */
      readonly target: number | null;
      readonly nativeId: string | null;
    });

/** What a run did, in the order of the calls. Plain data: it can be stored, compared and replayed. */
export interface ChaosJournal {
  readonly seed: number;
  readonly constraints?: ChaosConstraints;
  readonly staleReadMs?: number;
  readonly entries: readonly ChaosEntry[];
}

/** One line for each entry. */
export function printJournal(journal: ChaosJournal): string {
  const lines = journal.entries.map((entry) => `${entry.call}. ${entry.operation} (${entry.nth}): ${wordsOf(entry)}`);
  return [`seed ${journal.seed}, ${journal.entries.length} acts`, ...lines].join("\n");
}

function wordsOf(entry: ChaosEntry): string {
  switch (entry.kind) {
    case "fault":
      return [entry.when, entry.code, entry.delayMs === undefined ? undefined : `${entry.delayMs} ms`]
        .filter((word) => word !== undefined)
        .join(" ");
    case "constraint":
      return `${entry.code}: ${entry.what}`;
    case "drift":
      return entry.target === null ? entry.action : `${entry.action} instance ${entry.target} (${entry.nativeId})`;
  }
}

/**
 * A plan that does again, call by call, what the journal says: without chance, so any seed will do. Constraints are given
 * on, not replayed entry by entry, since they follow from the calls.
 */
export function replay(journal: ChaosJournal): ChaosPlan {
  const faults: ChaosFault[] = [];
  const drift: ChaosDrift[] = [];
  for (const entry of journal.entries) {
    const trigger = { operation: entry.operation, calls: [entry.nth] };
    if (entry.kind === "fault") faults.push(faultOf(entry, trigger));
    if (entry.kind !== "drift") continue;
    drift.push({ ...trigger, action: entry.action, ...(entry.target === null ? {} : { target: entry.target }) });
  }
  const { constraints, staleReadMs } = journal;
  return {
    faults,
    ...(drift.length === 0 ? {} : { drift }),
    ...(constraints === undefined ? {} : { constraints }),
    ...(staleReadMs === undefined ? {} : { staleReadMs }),
  };
}

function faultOf(
  entry: ChaosEntry & { readonly kind: "fault" },
  trigger: { readonly operation: string; readonly calls: readonly number[] },
): ChaosFault {
  const { when, code = "INTERNAL", scope, retryAfterMs, delayMs = 0 } = entry;
  if (when === "before" || when === "after") return { ...trigger, when, code, scope, retryAfterMs };
  return when === "delayed" ? { ...trigger, when, delayMs } : { ...trigger, when };
}
