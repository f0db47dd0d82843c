import type { StoredRecord } from "../record.ts";

/** What a filter can ask for, as columns: kind, provider, account, owner, state. */
export function columnsOf(record: StoredRecord): readonly (string | null)[] {
  const { kind, state } = record;
  if (record.kind === "run") return [kind, null, null, null, state];
  const { provider = null, account = null, owner } = record.kind === "launch" ? record.identity : record;
  return [kind, provider, account, owner, state];
}
