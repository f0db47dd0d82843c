import { type Clock, timestamp } from "@slipway/core";
import { type DataRecord, type JsonValue, recordId } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

/** What one launch costs of its owner's budget, at the price that was known when it was claimed. Times are milliseconds. */
export interface Claim {
  /** Of the launch's record. */
  readonly id: string;
  readonly usdPerHour: number;
  readonly from: number;
  /** When it is to be gone at the latest; null where nothing was said. */
  readonly until: number | null;
  /** When it was known to be gone; null while it may run. */
  readonly to: number | null;
}

export function budgetId(owner: string): string {
  return recordId("budget", owner);
}

export function budgetRecord(owner: string, claims: readonly Claim[], clock: Clock): DataRecord {
  const data = { claims: claims.map((one) => ({ ...one })) };
  return { kind: "budget", name: owner, owner, state: "counting", at: timestamp(clock), data };
}

export async function readClaims(store: Store, owner: string): Promise<readonly Claim[]> {
  const id = budgetId(owner);
  const record = await store.read(id);
  if (record === null) return [];
  const claims = record.kind === "budget" ? claimsOf(record.data) : null;
  if (claims !== null) return claims;
  // What cannot be read may be all that the day allows.
  throw new StoreError("CORRUPT", {
    message: `the record of ${id} does not say what was spent`,
    hint: "Look at what runs and what it costs; then remove the record, and launch again.",
  });
}

function claimsOf(data: JsonValue): readonly Claim[] | null {
  const { claims } = fields(data);
  if (!Array.isArray(claims)) return null;
  const read = claims.map(claimOf);
  const whole = read.filter((one) => one !== null);
  return whole.length === read.length ? whole : null;
}

function claimOf(value: JsonValue): Claim | null {
  const { id, usdPerHour, from, until, to } = fields(value);
  if (typeof id !== "string" || typeof usdPerHour !== "number" || typeof from !== "number") return null;
  if ((until !== null && typeof until !== "number") || (to !== null && typeof to !== "number")) return null;
  return { id, usdPerHour, from, until, to };
}

function fields(value: JsonValue): { readonly [name: string]: JsonValue | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: JsonValue })
    : {};
}
