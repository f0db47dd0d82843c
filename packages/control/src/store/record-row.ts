import { isStoredRecord, recordFault, type StepRecord, type StoredRecord } from "./record.ts";
import { withSteps } from "./run-steps.ts";

/*
 * A record as a row of a database: what a filter can ask for as columns, and the whole as one text. The steps that a run
 * adds to its record are rows of their own, one JSON text each. The record of a run is wrapped: an earlier version, which
 * knows nothing of those rows, refuses it instead of running finished steps again.
 */

/**
 * What a filter can ask for, as columns: kind, provider, account, owner, state. For authors of stores.
 *
 * @example
 * ```ts
 * import { recordText, type StoredRecord } from "@slipway/control";
 *
 * export const rowOf = (id: string, record: StoredRecord) => [id, ...recordColumns(record), recordText(record)];
 * ```
 */
export function recordColumns(record: StoredRecord): readonly (string | null)[] {
  const { kind, state } = record;
  if (record.kind === "run") return [kind, null, null, null, state];
  const { provider = null, account = null, owner } = record.kind === "launch" ? record.identity : record;
  return [kind, provider, account, owner, state];
}

const WRAPPED = "run with steps";

/**
 * The text that a row keeps. For authors of stores.
 *
 * @example
 * ```ts
 * import { parseRecordRow, type StoredRecord } from "@slipway/control";
 *
 * export const copyOf = (record: StoredRecord) => parseRecordRow(recordText(record));
 * ```
 */
export function recordText(record: StoredRecord): string {
  return JSON.stringify(record.kind === "run" ? { kind: WRAPPED, record } : record);
}

/** What a row holds, or why it cannot be read. */
export type RowContent =
  | {
      readonly record: StoredRecord;
      /** May steps be added to it? One of a run that an earlier version wrote must be written anew before. */
      readonly takesSteps: boolean;
    }
  | { readonly fault: "CORRUPT" | "FORMAT" };

/**
 * Reads `recordText`, with the steps that were added since: one JSON text a line, in their order. For authors of stores.
 *
 * @example
 * ```ts
 * import type { StoredRecord } from "@slipway/control";
 *
 * export function recordOf(row: { readonly record: string }): StoredRecord {
 *   const content = parseRecordRow(row.record);
 *   if (!("record" in content)) throw new Error("this row holds no record");
 *   return content.record;
 * }
 * ```
 */
export function parseRecordRow(text: unknown, steps?: unknown): RowContent {
  try {
    const value: unknown = JSON.parse(String(text));
    if (!isWrapped(value)) return checked(value, false);
    const lines = typeof steps === "string" && steps !== "" ? steps.split("\n") : [];
    const { record } = value;
    // What they hold is checked as a part of the record.
    const added = lines.map((line) => JSON.parse(line) as StepRecord);
    if (!isStoredRecord(record) || record.kind !== "run") return { fault: "CORRUPT" };
    return checked(withSteps(record, added), true);
  } catch {
    return { fault: "CORRUPT" };
  }
}

function isWrapped(value: unknown): value is { readonly record: unknown } {
  return typeof value === "object" && value !== null && Reflect.get(value, "kind") === WRAPPED;
}

function checked(value: unknown, takesSteps: boolean): RowContent {
  return isStoredRecord(value) ? { record: value, takesSteps } : { fault: recordFault(value) ?? "CORRUPT" };
}
