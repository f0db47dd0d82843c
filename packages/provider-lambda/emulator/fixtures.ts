import type { ErrorCode } from "@slipway/core";
import { type Fault, type HttpAnswer, type HttpBreak, htmlPage } from "@slipway/provider-kit/emulator";
import { failed } from "./answers.ts";

/** What a fault puts in the place of the answer: by the ids of the provider's error table. */
const FIXTURES: Readonly<Record<string, HttpAnswer | HttpBreak>> = {
  "invalid-api-key": failed(
    401,
    "global/invalid-api-key",
    "API key was invalid, expired, or deleted.",
    "Check your API key.",
  ),
  "account-inactive": failed(403, "global/account-inactive", "Your account is inactive."),
  "invalid-address": failed(403, "global/invalid-address", "Your billing address is invalid."),
  forbidden: failed(403, "global/forbidden", "You do not have permission to do this."),
  "blocked-by-proxy": htmlPage(403, "error 1010"),
  "too-many-instances": failed(400, "global/invalid-parameters", "quantity: Input should be less than or equal to 1"),
  "invalid-parameters": failed(400, "global/invalid-parameters", "name: String should have at most 64 characters"),
  "unknown-thing-at-launch": failed(404, "global/object-does-not-exist", "Specified instance type does not exist."),
  "object-does-not-exist": failed(404, "global/object-does-not-exist", "Specified instance does not exist."),
  "not-found": failed(404, "global/not-found", "The resource does not exist or you lack permission."),
  "quota-exceeded": failed(400, "global/quota-exceeded", "Quota exceeded.", "Contact support to raise your quota."),
  "insufficient-capacity": failed(
    400,
    "instance-operations/launch/insufficient-capacity",
    "Not enough capacity to fulfill launch request.",
    "Choose another region or instance type.",
  ),
  "file-system-in-wrong-region": failed(
    400,
    "instance-operations/launch/file-system-in-wrong-region",
    "The file system is not in the instance's region.",
  ),
  "file-systems-not-supported": failed(
    400,
    "instance-operations/launch/file-systems-not-supported",
    "The region does not support file systems.",
  ),
  duplicate: failed(400, "global/duplicate", "A file system with this name exists already."),
  "filesystem-in-use": failed(400, "filesystems/filesystem-in-use", "The file system is in use."),
  "firewall-ruleset-in-use": failed(400, "firewall-rulesets/firewall-ruleset-in-use", "The ruleset is in use."),
  "key-in-use": failed(400, "ssh-keys/key-in-use", "The SSH key is in use."),
  "internal-error": failed(409, "global/internal-error", "An internal error occurred."),
  conflict: failed(409, "global/conflict", "Another operation is in progress."),
  "provider-unavailable": failed(409, "provider/internal-unavailable", "The provider is unavailable."),
  "provider-error": failed(500, "provider/internal-error", "The provider failed."),
  "ticket-not-created": failed(500, "support-tickets/creation-failed", "The ticket could not be created."),
  unknown: failed(500, "global/unknown", "An unknown error occurred."),
  "too-many-requests": htmlPage(429, "Too Many Requests"),
  "bad-gateway": htmlPage(502, "502 Bad Gateway"),
  "service-unavailable": htmlPage(503, "503 Service Temporarily Unavailable"),
  "gateway-timeout": htmlPage(504, "504 Gateway Time-out"),
  "garbled-answer": { status: 200, headers: { "content-type": "application/json" }, body: '{"data": {"instance_' },
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

const CODES: Readonly<Partial<Record<ErrorCode, CodeRow>>> = {
  AUTH_ERROR: { row: "invalid-api-key" },
  CAPACITY_ERROR: { row: "insufficient-capacity", at: ["spawn"], after: "provider-unavailable" },
  QUOTA_EXCEEDED: { row: "quota-exceeded", at: ["spawn", "createVolume"] },
  RATE_LIMIT_ERROR: { row: "too-many-requests" },
  INVALID_SPEC: { row: "invalid-parameters" },
  NOT_FOUND: { row: "object-does-not-exist", at: ["list", "listVolumes"] },
  CONFLICT: { row: "duplicate", at: ["createVolume"] },
  INVALID_STATE: { row: "filesystem-in-use", at: ["deleteVolume"] },
  BUSY: { row: "conflict", at: ["spawn", "terminate", "deleteVolume", "createVolume"] },
  UNAVAILABLE: { row: "bad-gateway", after: "unknown" },
  NETWORK: { row: "connection-refused", after: "connection-reset" },
  TIMEOUT: { row: "answer-timeout", after: "answer-timeout" },
  INTERNAL: { row: "blocked-by-proxy", after: "garbled-answer" },
};

/** Operations of the contract that have a request of their own. */
const FAULTY = ["spawn", "terminate", "get", "list", "createVolume", "deleteVolume", "listVolumes", "onStartup"];
const READS = ["get", "list", "listVolumes", "onStartup"];

/** Can a fault stand there as Lambda would show it? */
export function canPlace(
  { operation, when, code }: Pick<Fault, "operation" | "when" | "code">,
  readLagMs: number,
): boolean {
  if (!FAULTY.includes(operation)) return false;
  if (when === "stale-read") return READS.includes(operation) && readLagMs > 0;
  if (code === undefined) return true;
  const row = CODES[code];
  if (row === undefined || row.at?.includes(operation) === false) return false;
  return when !== "after" || row.after !== undefined;
}

/** What a fault answers with; null where it only delays or lags. */
export function fixtureFor({ when, code, row }: Fault): HttpAnswer | HttpBreak | null {
  if (when === "reply-lost") return "ECONNRESET";
  if (when !== "before" && when !== "after") return null;
  const named = row === undefined ? undefined : FIXTURES[row];
  if (named !== undefined) return named;
  const byCode = CODES[code ?? "UNAVAILABLE"];
  const id = (when === "after" ? byCode?.after : undefined) ?? byCode?.row ?? "bad-gateway";
  return FIXTURES[id] ?? htmlPage(502, "502 Bad Gateway");
}
