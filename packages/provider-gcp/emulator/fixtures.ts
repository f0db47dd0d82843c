import type { ErrorCode } from "@slipway/core";
import { type Fault, type HttpAnswer, type HttpBreak, htmlPage } from "@slipway/provider-kit/emulator";
import { failed } from "./answers.ts";

const usage = (reason: string, message: string, info?: string): HttpAnswer =>
  failed(403, reason, message, info, "usageLimits");

/** What a fault puts in the place of the answer: by the ids of the provider's error table. Rows that begin with `op-` show in the operation. */
const FIXTURES: Readonly<Record<string, HttpAnswer | HttpBreak>> = {
  "auth-error": failed(401, "authError", "Request had invalid authentication credentials."),
  "scope-insufficient": failed(
    403,
    "insufficientPermissions",
    "Request had insufficient authentication scopes.",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
  ),
  "insufficient-permissions": failed(403, "insufficientPermissions", "Insufficient Permission"),
  "service-disabled": usage(
    "accessNotConfigured",
    "Compute Engine API has not been used in project 1 before or it is disabled.",
    "SERVICE_DISABLED",
  ),
  "access-not-configured": usage("accessNotConfigured", "Access Not Configured."),
  "concurrent-operations": usage(
    "rateLimitExceeded",
    "Quota exceeded for concurrent operations.",
    "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED",
  ),
  "rate-limit": usage("rateLimitExceeded", "Rate Limit Exceeded"),
  "rate-quota": usage(
    "quotaExceeded",
    "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per project'.",
  ),
  quota: usage("quotaExceeded", "Quota 'CPUS' exceeded.  Limit: 24.0"),
  "billing-disabled": failed(403, "forbidden", "This API method requires billing to be enabled."),
  forbidden: failed(
    403,
    "forbidden",
    "Required 'compute.instances.create' permission for 'projects/p/zones/z/instances/i'",
  ),
  "blocked-by-proxy": htmlPage(403, "403 Forbidden"),
  "resource-not-ready": failed(400, "resourceNotReady", "The resource 'projects/p/global/networks/n' is not ready"),
  "in-use": failed(
    400,
    "resourceInUseByAnotherResource",
    "The disk resource is already being used by another instance.",
  ),
  "deletion-protected": failed(400, "badRequest", "Invalid resource usage: deletion protection is on."),
  "not-in-zone": failed(
    400,
    "invalid",
    "Invalid value for field 'resource.machineType': Machine type with name 'x' does not exist in zone 'z'.",
  ),
  "unknown-zone": failed(400, "invalid", "Invalid value for field 'zone': 'z'. Unknown zone."),
  "service-account": failed(
    400,
    "invalid",
    "Invalid value for field 'resource.serviceAccounts[0].email': the service account does not exist.",
  ),
  invalid: failed(400, "invalid", "Invalid value for field 'resource.name': 'X'."),
  "not-found": failed(404, "notFound", "The resource 'projects/p/global/images/i' was not found"),
  "operation-in-progress": failed(409, "operationInProgress", "An operation is in progress."),
  "already-exists": failed(409, "alreadyExists", "The resource 'projects/p/zones/z/instances/i' already exists"),
  "condition-not-met": failed(412, "conditionNotMet", "Fingerprint does not match."),
  "too-many-requests": failed(429, "rateLimitExceeded", "Too many requests.", "RATE_LIMIT_EXCEEDED"),
  "too-many-requests-by-reason": failed(429, "rateLimitExceeded", "Too many requests."),
  "too-many-requests-page": htmlPage(429, "429 Too Many Requests"),
  "quota-by-429": failed(429, "quotaExceeded", "Quota exceeded."),
  "bulk-capacity": failed(503, "insufficientCapacity", "There is no capacity."),
  "capacity-by-503": failed(503, "backendError", "ZONE_RESOURCE_POOL_EXHAUSTED: try again."),
  "backend-error": failed(503, "backendError", "Backend Error"),
  "bad-gateway": htmlPage(502, "502 Bad Gateway"),
  "garbled-answer": { status: 200, headers: { "content-type": "application/json" }, body: '{"kind": "compute#oper' },
  "page-instead": htmlPage(200, "Please wait while we check your browser"),
  "connection-refused": "ECONNREFUSED",
  "connection-reset": "ECONNRESET",
  "answer-timeout": "hang",
};

interface CodeRow {
  readonly row: string;
  /** Where the remote says so; everywhere if absent. */
  readonly at?: readonly string[];
  /** Whether it can also come after the effect: an answer that does not deny it. */
  readonly after?: string;
}

const WRITES = ["spawn", "terminate", "createVolume", "deleteVolume", "createSnapshot", "deleteSnapshot"];
const CODES: Readonly<Partial<Record<ErrorCode, CodeRow>>> = {
  AUTH_ERROR: { row: "forbidden" },
  CAPACITY_ERROR: { row: "op-stockout", at: ["spawn"], after: "capacity-by-503" },
  QUOTA_EXCEEDED: { row: "op-quota", at: ["spawn"] },
  RATE_LIMIT_ERROR: { row: "rate-limit" },
  INVALID_SPEC: { row: "invalid" },
  NOT_FOUND: { row: "not-found", at: ["list", "spawn"] },
  CONFLICT: { row: "already-exists", at: ["spawn"] },
  INVALID_STATE: { row: "in-use", at: WRITES },
  SPOT_INTERRUPTED: { row: "op-preempted", at: ["spawn"] },
  BUSY: { row: "resource-not-ready", at: WRITES },
  UNAVAILABLE: { row: "backend-error", after: "bad-gateway" },
  NETWORK: { row: "connection-refused", after: "connection-reset" },
  TIMEOUT: { row: "answer-timeout", after: "answer-timeout" },
  INTERNAL: { row: "blocked-by-proxy", after: "garbled-answer" },
};

/** Operations of the contract that have a request of their own. */
const FAULTY = [...WRITES, "get", "list", "listVolumes", "listSnapshots", "onStartup", "getSpotPrices"];

/** Can a fault stand there as Google would show it? */
export function canPlace(
  { operation, when, code }: Pick<Fault, "operation" | "when" | "code">,
  listLagMs: number,
): boolean {
  if (!FAULTY.includes(operation)) return false;
  if (when === "stale-read") return operation === "list" && listLagMs > 0;
  if (code === undefined) return true;
  const row = CODES[code];
  if (row === undefined || row.at?.includes(operation) === false) return false;
  return when !== "after" || row.after !== undefined;
}

/** What shows only in the operation of an accepted request; undefined for any other fault. */
export function rowInOperation({ when, code, row }: Fault): string | undefined {
  const id = row ?? (code === undefined ? undefined : CODES[code]?.row);
  return when === "before" && id?.startsWith("op-") === true ? id : undefined;
}

/** What a fault answers with; null where it only delays or lags, or shows in the operation. */
export function fixtureFor(fault: Fault): HttpAnswer | HttpBreak | null {
  const { when, code, row } = fault;
  if (when === "reply-lost") return "ECONNRESET";
  if ((when !== "before" && when !== "after") || rowInOperation(fault) !== undefined) return null;
  const named = row === undefined ? undefined : FIXTURES[row];
  if (named !== undefined) return named;
  const byCode = CODES[code ?? "UNAVAILABLE"];
  const id = (when === "after" ? byCode?.after : undefined) ?? byCode?.row ?? "bad-gateway";
  return FIXTURES[id] ?? htmlPage(502, "502 Bad Gateway");
}
