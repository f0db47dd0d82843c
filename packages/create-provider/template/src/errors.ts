import type { ErrorCode, ErrorEffect, ErrorScope } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";

export const PROVIDER = "__NAME__";

/** What the remote says, and what the user gets. */
export interface __Name__ErrorRow {
  /** The remote's own code. */
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly hint?: string;
}

const refused = { operation: "spawn", effect: "none" } as const;

/** Complete: what is not here is INTERNAL, and after a write its effect is unknown. */
export const __name__ErrorTable: readonly __Name__ErrorRow[] = [
  // #if http
  { ...refused, id: "bad-credentials", code: "AUTH_ERROR", hint: "Look at __NAME_ENV___API_KEY." },
  // #end
  // #if cli
  { ...refused, id: "bad-credentials", code: "AUTH_ERROR", hint: "Run `__NAME__ctl login`." },
  // #end
  { ...refused, id: "invalid", code: "INVALID_SPEC" },
  { ...refused, id: "quota", code: "QUOTA_EXCEEDED", hint: "Waiting does not help: end something, or ask for more." },
  { ...refused, id: "no-capacity", code: "CAPACITY_ERROR", hint: "Try another machine type, or later." },
  { ...refused, id: "throttled", code: "RATE_LIMIT_ERROR" },
  // #if idempotentSpawn
  { ...refused, id: "name-taken", code: "CONFLICT" },
  // #end
  { ...refused, id: "not-found", operation: "list", code: "NOT_FOUND" },
  { ...refused, id: "in-transition", operation: "terminate", code: "BUSY" },
  // #if persistentVolumes
  { ...refused, id: "in-use", operation: "deleteVolume", code: "INVALID_STATE" },
  // #end
  // #if hibernation
  { ...refused, id: "wrong-state", operation: "hibernate", code: "INVALID_STATE" },
  // #end
  { ...refused, id: "unavailable", code: "UNAVAILABLE", effect: "unknown" },
];

/** The row for the remote's code; undefined for one that the table does not have. */
export function rowOf(code: string | undefined): __Name__ErrorRow | undefined {
  return __name__ErrorTable.find(({ id }) => id === code);
}

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
