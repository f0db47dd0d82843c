import type { ErrorCode } from "@slipway/core";
import { type Fault, type HttpAnswer, type HttpBreak, htmlPage } from "@slipway/provider-kit/emulator";
import { errorAnswer, problem, type Service } from "./answers.ts";

const CONNECTION: Readonly<Record<string, HttpAnswer | HttpBreak>> = {
  "garbled-answer": {
    status: 200,
    headers: { "content-type": "text/xml;charset=UTF-8" },
    body: '<?xml version="1.0"?><Run',
  },
  "page-instead": htmlPage(200, "Please wait while we check your browser"),
  "bad-gateway": htmlPage(502, "502 Bad Gateway"),
  "connection-refused": "ECONNREFUSED",
  "connection-reset": "ECONNRESET",
  "answer-timeout": "hang",
};

interface CodeRow {
  /** An EC2 code, or one of the names above. */
  readonly row: string;
  /** Where EC2 says so; everywhere if absent. */
  readonly at?: readonly string[];
  /** What comes after the effect: an answer that does not deny it. */
  readonly after?: string;
}

const LAUNCHES = ["spawn", "requestSpotInstance"];

const CODES: Readonly<Partial<Record<ErrorCode, CodeRow>>> = {
  AUTH_ERROR: { row: "UnauthorizedOperation" },
  CAPACITY_ERROR: { row: "InsufficientInstanceCapacity", at: [...LAUNCHES, "resume"] },
  QUOTA_EXCEEDED: { row: "VcpuLimitExceeded", at: [...LAUNCHES, "resume"] },
  RATE_LIMIT_ERROR: { row: "RequestLimitExceeded" },
  INVALID_SPEC: { row: "InvalidParameterValue" },
  CONFLICT: { row: "InvalidAMIName.Duplicate", at: ["createSnapshot"] },
  UNAVAILABLE: { row: "Unavailable", after: "InternalError" },
  NETWORK: { row: "connection-refused", after: "connection-reset" },
  TIMEOUT: { row: "answer-timeout", after: "answer-timeout" },
  INTERNAL: { row: "page-instead", after: "garbled-answer" },
};

const READS = [
  "get",
  "list",
  "listVolumes",
  "listSnapshots",
  "getSnapshotStatus",
  "getSpotPrices",
  "getCosts",
  "onStartup",
];
const LAGGING = ["get", "list", "listVolumes", "listSnapshots", "getSnapshotStatus"];

/** Operations of the contract that have a request of their own. */
const FAULTY = [
  ...READS,
  ...LAUNCHES,
  "terminate",
  "createSnapshot",
  "deleteSnapshot",
  "createVolume",
  "deleteVolume",
  "hibernate",
  "resume",
  "cancelSpotRequest",
];

/** Can a fault stand there as EC2 would show it? */
export function canPlace(
  { operation, when, code }: Pick<Fault, "operation" | "when" | "code">,
  readLagMs: number,
): boolean {
  if (!FAULTY.includes(operation)) return false;
  if (when === "stale-read") return LAGGING.includes(operation) && readLagMs > 0;
  if (code === undefined) return true;
  const row = CODES[code];
  if (row === undefined || row.at?.includes(operation) === false) return false;
  return when !== "after" || row.after !== undefined;
}

/** What a fault answers with; null where it only delays or lags. */
export function fixtureFor(
  { when, code, row }: Fault,
  service: Service,
  requestId: string,
): HttpAnswer | HttpBreak | null {
  if (when === "reply-lost") return "ECONNRESET";
  if (when !== "before" && when !== "after") return null;
  const byCode = CODES[code ?? "UNAVAILABLE"];
  const id = row ?? (when === "after" ? byCode?.after : undefined) ?? byCode?.row ?? "Unavailable";
  return CONNECTION[id] ?? errorAnswer(service, problem(id, messageOf(id)), requestId);
}

// Where what the message says matters to who reads it.
const MESSAGES: Readonly<Record<string, string>> = {
  InsufficientInstanceCapacity:
    "We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity.",
  RequestLimitExceeded: "Request limit exceeded.",
  UnauthorizedOperation: "You are not authorized to perform this operation.",
  AuthFailure: "AWS was not able to validate the provided access credentials",
};

function messageOf(code: string): string {
  return MESSAGES[code] ?? `An emulated ${code}`;
}
