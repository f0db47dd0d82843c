import { type ErrorCode, type ErrorEffect, type ErrorScope, isProviderError, type Operation } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import { LAUNCHING, rowOf } from "./error-table.ts";

export const PROVIDER = "aws";

/** What one answer of AWS means. `effect` is of a write. */
export interface AwsMeaning {
  readonly code: ErrorCode;
  readonly effect: ErrorEffect;
  readonly scope?: ErrorScope | undefined;
  readonly hint?: string | undefined;
}

interface NetRow {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
}

// For codes that AWS adds later. First match.
const NET: readonly NetRow[] = [
  { pattern: /^(Insufficient.*Capacity.*|Unfulfillable.*)$/, code: "CAPACITY_ERROR" },
  { pattern: /^(Request|Bandwidth)LimitExceeded$|Throttl/, code: "RATE_LIMIT_ERROR" },
  { pattern: /(NotFound(Exception)?|\.Unknown)$/, code: "NOT_FOUND" },
  { pattern: /(Duplicate|AlreadyExists(Exception)?|Already\w+)$/, code: "CONFLICT" },
  { pattern: /^Incorrect|(InUse(Exception)?|InvalidState)$/, code: "INVALID_STATE" },
  { pattern: /(LimitExceeded(Exception)?|CountExceeded|CountLimitExceeded)$/, code: "QUOTA_EXCEEDED" },
  { pattern: /^(Access|Auth|Unauthorized|ExpiredToken)/, code: "AUTH_ERROR" },
  { pattern: /(Malformed(Exception)?|\.Format)$/, code: "INVALID_SPEC" },
  { pattern: /^(Invalid|Missing|Unknown|Unsupported)/, code: "INVALID_SPEC" },
];

interface StatusRow {
  readonly from: number;
  readonly to: number;
  readonly code: ErrorCode;
}

const STATUSES: readonly StatusRow[] = [
  { from: 401, to: 401, code: "AUTH_ERROR" },
  { from: 429, to: 429, code: "RATE_LIMIT_ERROR" },
  { from: 500, to: 599, code: "UNAVAILABLE" },
];

/** What AWS means by its code, message and status; undefined for an answer that is not AWS's own. */
export function meaningOf(
  native: string,
  message: string,
  status: number | undefined,
  operation: Operation,
): AwsMeaning | undefined {
  const row = rowOf(native, message);
  const net = NET.find(({ pattern }) => pattern.test(native));
  const byStatus = STATUSES.find(({ from, to }) => status !== undefined && status >= from && status <= to);
  const meaning = row ?? net ?? byStatus;
  if (meaning === undefined) return undefined;
  const { code } = meaning;
  const effect = row?.effect ?? (code === "UNAVAILABLE" ? "unknown" : "none");
  // A launch that names what is not there is a wrong launch.
  if (code === "NOT_FOUND" && LAUNCHING.includes(operation)) return { code: "INVALID_SPEC", effect };
  return { code, effect, scope: row?.scope, hint: row?.hint };
}

/** `Client.` and `Server.` stand before codes in states and logs, and never on the wire. */
export function bareCode(code: string): string {
  return code.replace(/^(Client|Server)\./, "");
}

/** AWS's own code in an error of ours; empty if there is none. */
export function nativeCodeOf(error: unknown): string {
  return isProviderError(error) ? (error.native?.code ?? "") : "";
}

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
