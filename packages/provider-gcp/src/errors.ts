import type { ErrorCode, ErrorScope, Operation, ProviderError } from "@slipway/core";
import { errorRows, errorTable, type HttpErrorRow, redact, type WrittenRow } from "@slipway/provider-kit/http";
import * as z from "zod/mini";
import { refusal } from "./remote.ts";
import type { WireOperation, WireOperationError } from "./wire.ts";

export type GcpErrorRow = Pick<HttpErrorRow, "id" | "operation" | "code" | "effect"> & {
  readonly scope?: ErrorScope | undefined;
};

const ENABLE = "Enable the Compute Engine API of the project; it takes minutes to spread.";

/** What Google refuses at once. A 403 is a permission, a rate, a quota or a disabled API: the reason says which. */
const HTTP_ROWS: readonly WrittenRow[] = [
  {
    id: "auth-error",
    status: 401,
    code: "AUTH_ERROR",
    message: "Google does not take this access token",
    hint: "Tokens live an hour: log in again with `gcloud auth application-default login`, or give a fresh token.",
  },
  {
    id: "scope-insufficient",
    status: 403,
    native: "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    code: "AUTH_ERROR",
    hint: "The token needs the scope https://www.googleapis.com/auth/compute or cloud-platform.",
  },
  { id: "insufficient-permissions", status: 403, native: "insufficientPermissions", code: "AUTH_ERROR" },
  { id: "service-disabled", status: 403, native: "SERVICE_DISABLED", code: "AUTH_ERROR", hint: ENABLE },
  { id: "access-not-configured", status: 403, native: "accessNotConfigured", code: "AUTH_ERROR", hint: ENABLE },
  {
    id: "concurrent-operations",
    status: 403,
    native: "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
    code: "RATE_LIMIT_ERROR",
  },
  { id: "rate-limit", status: 403, native: "rateLimitExceeded", code: "RATE_LIMIT_ERROR" },
  { id: "rate-quota", status: 403, native: "quotaExceeded", says: /per minute/i, code: "RATE_LIMIT_ERROR" },
  {
    id: "quota",
    status: 403,
    native: "quotaExceeded",
    code: "QUOTA_EXCEEDED",
    hint: "Delete something, or ask Google for more.",
  },
  {
    id: "billing-disabled",
    status: 403,
    says: /billing/i,
    code: "QUOTA_EXCEEDED",
    hint: "Link a billing account to the project.",
  },
  { id: "forbidden", status: 403, json: true, code: "AUTH_ERROR" },
  {
    id: "blocked-by-proxy",
    operation: "terminate",
    status: 403,
    json: false,
    code: "INTERNAL",
    effect: "unknown",
    message: "something before Google's API refused the request (HTTP 403 without its envelope)",
  },
  { id: "resource-not-ready", status: 400, native: "resourceNotReady", code: "BUSY" },
  { id: "in-use", status: 400, native: "resourceInUseByAnotherResource", code: "INVALID_STATE" },
  {
    id: "deletion-protected",
    operation: "terminate",
    status: [400, 412],
    says: /deletion ?protect/i,
    code: "INVALID_STATE",
    hint: "Somebody protected it by hand: take the protection off first.",
  },
  {
    id: "not-in-zone",
    status: 400,
    says: /does not exist in zone/i,
    code: "CAPACITY_ERROR",
    hint: "Another zone may sell it: `placements` lists the configured ones.",
  },
  { id: "unknown-zone", status: 400, says: /unknown zone/i, code: "INVALID_SPEC", scope: "placement" },
  {
    id: "service-account",
    status: 400,
    says: /service account/i,
    code: "INVALID_SPEC",
    hint: "A service account that was made just now is not known everywhere yet.",
  },
  { id: "invalid", status: 400, json: true, code: "INVALID_SPEC" },
  { id: "not-found", status: 404, native: "notFound", code: "NOT_FOUND" },
  { id: "operation-in-progress", status: 409, native: "operationInProgress", code: "BUSY" },
  { id: "already-exists", status: 409, native: "alreadyExists", code: "CONFLICT" },
  { id: "condition-not-met", status: 412, code: "BUSY" },
  { id: "too-many-requests", status: 429, native: "RATE_LIMIT_EXCEEDED", code: "RATE_LIMIT_ERROR" },
  { id: "too-many-requests-by-reason", status: 429, native: "rateLimitExceeded", code: "RATE_LIMIT_ERROR" },
  { id: "too-many-requests-page", status: 429, json: false, code: "RATE_LIMIT_ERROR" },
  { id: "quota-by-429", status: 429, code: "QUOTA_EXCEEDED" },
  { id: "bulk-capacity", status: 503, native: "insufficientCapacity", code: "CAPACITY_ERROR" },
  {
    id: "capacity-by-503",
    status: 503,
    says: /RESOURCE_POOL_EXHAUSTED/,
    code: "CAPACITY_ERROR",
    effect: "unknown",
  },
  { id: "backend-error", operation: "terminate", status: [500, 502, 503, 504], code: "UNAVAILABLE", effect: "unknown" },
];

const rows = errorRows(HTTP_ROWS);
const KNOWN: ReadonlySet<string> = new Set(rows.flatMap(({ native }) => (native === undefined ? [] : [native])));
// The remote's code is shown as it is, so it has to look like one.
const NATIVE_CODE = /^[A-Za-z][A-Za-z0-9_]{0,80}$/;

/** What an answer that is no success means; undefined for what the table does not have. */
export const meaningOf: ReturnType<typeof errorTable> = errorTable(rows, (json) => {
  const said = wireFailure(json);
  if (said === undefined) return undefined;
  const reasons = said.reasons.filter((reason) => NATIVE_CODE.test(reason));
  return { code: reasons.find((reason) => KNOWN.has(reason)) ?? reasons[0], message: said.message };
});

/** What stands in an operation that has ended. The effect is not in it: a read tells what became of the instance. */
interface OperationRow {
  readonly id: string;
  /** Whole codes. */
  readonly native: readonly string[];
  readonly says?: RegExp;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  readonly hint?: string;
}

// Of several errors in one operation the first row that fits any of them counts: the most exact come first.
const OPERATION_ROWS: readonly OperationRow[] = [
  { id: "op-quota", native: ["QUOTA_EXCEEDED"], code: "QUOTA_EXCEEDED" },
  {
    id: "op-ip-space",
    native: ["IP_SPACE_EXHAUSTED", "IP_SPACE_EXHAUSTED_WITH_DETAILS"],
    code: "CAPACITY_ERROR",
    scope: "subnet",
    hint: "Other machine types do not help: take another subnetwork.",
  },
  { id: "op-preempted", native: ["PREEMPTED"], code: "SPOT_INTERRUPTED", scope: "capacity-type" },
  {
    id: "op-preempted-at-start",
    native: ["UNSUPPORTED_OPERATION"],
    says: /preempt/i,
    code: "SPOT_INTERRUPTED",
    scope: "capacity-type",
  },
  { id: "op-stockout", native: ["ZONE_RESOURCE_POOL_EXHAUSTED"], code: "CAPACITY_ERROR" },
  { id: "op-stockout-details", native: ["ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"], code: "CAPACITY_ERROR" },
  {
    id: "op-capacity",
    native: ["RESOURCE_POOL_EXHAUSTED", "REGION_RESOURCE_POOL_EXHAUSTED", "INSUFFICIENT_CAPACITY"],
    code: "CAPACITY_ERROR",
  },
  {
    id: "op-reservation",
    native: ["INVALID_USAGE", "RESOURCE_NOT_FOUND"],
    says: /reservation.*(available resources|fully consumed)/i,
    code: "CAPACITY_ERROR",
  },
  { id: "op-exists", native: ["RESOURCE_ALREADY_EXISTS"], code: "CONFLICT" },
  { id: "op-not-found", native: ["RESOURCE_NOT_FOUND"], code: "NOT_FOUND" },
  {
    id: "op-external-not-found",
    native: ["EXTERNAL_RESOURCE_NOT_FOUND"],
    code: "INVALID_SPEC",
    hint: "A service account that was made just now is not known everywhere yet.",
  },
  { id: "op-not-ready", native: ["RESOURCE_NOT_READY"], code: "BUSY" },
  { id: "op-in-use", native: ["RESOURCE_IN_USE", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"], code: "INVALID_STATE" },
  {
    id: "op-policy",
    native: ["CONDITION_NOT_MET"],
    code: "INVALID_SPEC",
    hint: "An organisation policy may forbid it: the message names the constraint.",
  },
  { id: "op-permission", native: ["PERMISSIONS_ERROR", "FORBIDDEN"], code: "AUTH_ERROR" },
  { id: "op-deleted-meanwhile", native: ["CONFLICT"], code: "BUSY" },
  { id: "op-unsupported", native: ["UNSUPPORTED_OPERATION"], code: "INVALID_STATE" },
  { id: "op-invalid", native: ["INVALID_FIELD_VALUE", "INVALID_PARAMETER", "BAD_REQUEST"], code: "INVALID_SPEC" },
  { id: "op-internal", native: ["INTERNAL_ERROR"], code: "UNAVAILABLE" },
];

/** What a finished operation failed with; null if it did not. `effect` is `unknown` until somebody has looked. */
export function operationFailure(
  ended: WireOperation,
  operation: Operation,
  secrets: readonly string[] = [],
): ProviderError | null {
  const errors = ended.error?.errors ?? [];
  const status = ended.httpErrorStatusCode;
  if (errors.length === 0 && (status === undefined || status < 400)) return null;
  const row = OPERATION_ROWS.find((candidate) => errors.some((one) => fits(candidate, one)));
  const told = errors.find((one) => row !== undefined && fits(row, one)) ?? errors[0];
  const isQuota = row === undefined && errors.some(({ code = "" }) => code.includes("QUOTA"));
  const scope = row?.id === "op-quota" || isQuota ? quotaScope(errors) : row?.scope;
  const native = told?.code !== undefined && NATIVE_CODE.test(told.code) ? { code: told.code } : {};
  const said = told?.message ?? ended.httpErrorMessage ?? "it gives no reason";
  return refusal(
    row?.code ?? (isQuota ? "QUOTA_EXCEEDED" : "INTERNAL"),
    operation,
    `the ${ended.operationType ?? "operation"} failed: ${redact(said, secrets).slice(0, 500)}`,
    {
      effect: "unknown",
      native: { ...native, ...(status === undefined ? {} : { status }) },
      ...(scope === undefined ? {} : { scope }),
      ...(row?.hint === undefined ? {} : { hint: row.hint }),
    },
  );
}

function fits({ native, says }: OperationRow, { code = "", message = "" }: WireOperationError): boolean {
  return native.includes(code) && (says === undefined || says.test(message));
}

/** What to vary: preemptible quotas are of the capacity's type, global ones of the account, others of the region. */
function quotaScope(errors: readonly WireOperationError[]): ErrorScope {
  const infos = errors.flatMap(({ errorDetails = [] }) => errorDetails.flatMap(({ quotaInfo }) => quotaInfo ?? []));
  const names = `${infos.map(({ limitName = "" }) => limitName).join(" ")} ${errors.map(({ message = "" }) => message).join(" ")}`;
  if (/PREEMPTIBLE/.test(names)) return "capacity-type";
  if (/ALL[_-]REGIONS/.test(names)) return "account";
  return infos.some(({ dimensions }) => dimensions?.["region"] !== undefined) ? "region" : "account";
}

/** Everything that Google may say, and what the user gets; of operations with what is true once the instance was looked for. */
export const gcpErrorTable: readonly GcpErrorRow[] = [
  ...rows.map(({ id, operation, code, scope, effect }) => ({ id, operation, code, scope, effect })),
  ...OPERATION_ROWS.map(
    ({ id, code, scope }): GcpErrorRow => ({
      id,
      operation: "spawn",
      code,
      scope: id === "op-quota" ? "region" : scope,
      effect: "none",
    }),
  ),
];

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();

const failure = z.object({
  error: z.object({
    message: absent(text),
    status: absent(text),
    errors: absent(z.array(z.object({ reason: absent(text), message: absent(text) }))),
    details: absent(z.array(z.object({ "@type": absent(text), reason: absent(text) }))),
  }),
});

/** What a failed request says: machine-readable reasons, the most exact first. Undefined for any other body. */
function wireFailure(json: unknown): { readonly reasons: readonly string[]; readonly message?: string } | undefined {
  const parsed = failure.safeParse(json);
  if (!parsed.success) return undefined;
  const { message, status, errors = [], details = [] } = parsed.data.error;
  const infos = details.filter((detail) => detail["@type"]?.endsWith("google.rpc.ErrorInfo") === true);
  const reasons = [...infos, ...errors].flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  return {
    reasons: status === undefined ? reasons : [...reasons, status],
    ...(message === undefined ? {} : { message }),
  };
}
