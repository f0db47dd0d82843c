import { type ErrorCode, type ErrorEffect, type ErrorScope, type Operation } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { AnswerMeaning, HttpAnswer } from "@slipway/provider-kit/http";
import { type WireError, wireError } from "./wire.ts";

export const PROVIDER = "lambda";

/** What Lambda says, and what the user gets. The first row that fits an answer counts. */
export interface LambdaErrorRow {
  /** Unique; the emulator answers with the remote's own words where a fault names it. */
  readonly id: string;
  /** One operation at which it can be provoked. */
  readonly operation: string;
  readonly status: number | readonly number[];
  /** Lambda's own code: whole, or its beginning where it ends in `/`. Absent: any, also no JSON at all. */
  readonly native?: string;
  /** A word of the message that tells it from a neighbour. */
  readonly says?: RegExp;
  /** Only where the answer is, or is not, JSON. */
  readonly json?: boolean;
  /** Only for these operations. */
  readonly only?: readonly string[];
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly message?: string;
  readonly hint?: string;
}

const spawn = { operation: "spawn", effect: "none" } as const;
const LAUNCHING = ["spawn"] as const;

export const lambdaErrorTable: readonly LambdaErrorRow[] = [
  {
    ...spawn,
    id: "invalid-api-key",
    status: 401,
    code: "AUTH_ERROR",
    message: "Lambda does not know this API key",
    hint: "Make a key at cloud.lambda.ai/api-keys and give it as apiKey or LAMBDA_API_KEY.",
  },
  {
    ...spawn,
    id: "account-inactive",
    status: 403,
    native: "global/account-inactive",
    code: "AUTH_ERROR",
    hint: "The key is right, the account is not active: look at its payment and e-mail in Lambda's dashboard.",
  },
  {
    ...spawn,
    id: "invalid-address",
    status: 403,
    native: "global/invalid-address",
    code: "AUTH_ERROR",
    hint: "Lambda wants a billing address that it can check: correct it in the dashboard.",
  },
  { ...spawn, id: "forbidden", status: 403, native: "global/forbidden", code: "AUTH_ERROR" },
  {
    ...spawn,
    id: "blocked-by-proxy",
    status: 403,
    json: false,
    code: "INTERNAL",
    effect: "unknown",
    message: "something before Lambda's API refused the request (HTTP 403 without its envelope)",
    hint: "Cloudflare refuses clients that it does not like by their User-Agent or address; this says nothing about the key.",
  },
  {
    ...spawn,
    id: "too-many-instances",
    status: 400,
    native: "global/invalid-parameters",
    says: /quantity|too many instances/i,
    code: "INVALID_SPEC",
    hint: "Lambda starts one instance with each launch.",
  },
  { ...spawn, id: "invalid-parameters", status: 400, native: "global/invalid-parameters", code: "INVALID_SPEC" },
  {
    ...spawn,
    id: "unknown-thing-at-launch",
    status: [400, 404],
    native: "global/object-does-not-exist",
    only: LAUNCHING,
    code: "INVALID_SPEC",
    hint: "The message names it: the machine type, region, SSH key, image or filesystem is not there.",
  },
  {
    ...spawn,
    id: "object-does-not-exist",
    operation: "list",
    status: [400, 404],
    native: "global/object-does-not-exist",
    code: "NOT_FOUND",
  },
  { ...spawn, id: "not-found", operation: "list", status: 404, native: "global/not-found", code: "NOT_FOUND" },
  {
    ...spawn,
    id: "quota-exceeded",
    status: 400,
    native: "global/quota-exceeded",
    code: "QUOTA_EXCEEDED",
    hint: "Waiting does not help: end something, or ask Lambda for a higher quota.",
  },
  {
    ...spawn,
    id: "insufficient-capacity",
    status: 400,
    native: "instance-operations/launch/insufficient-capacity",
    code: "CAPACITY_ERROR",
    hint: "Try another region or machine type: `placements` lists where capacity is shown now.",
  },
  {
    ...spawn,
    id: "file-system-in-wrong-region",
    status: 400,
    native: "instance-operations/launch/file-system-in-wrong-region",
    code: "INVALID_SPEC",
  },
  {
    ...spawn,
    id: "file-systems-not-supported",
    status: 400,
    native: "instance-operations/launch/file-systems-not-supported",
    code: "INVALID_SPEC",
  },
  { ...spawn, id: "duplicate", operation: "createVolume", status: 400, native: "global/duplicate", code: "CONFLICT" },
  {
    ...spawn,
    id: "filesystem-in-use",
    operation: "deleteVolume",
    status: 400,
    native: "filesystems/filesystem-in-use",
    code: "INVALID_STATE",
    hint: "Only the end of the instance detaches a filesystem: terminate it first.",
  },
  {
    ...spawn,
    id: "firewall-ruleset-in-use",
    operation: "deleteVolume",
    status: 400,
    native: "firewall-rulesets/firewall-ruleset-in-use",
    code: "INVALID_STATE",
  },
  {
    ...spawn,
    id: "key-in-use",
    operation: "deleteVolume",
    status: 400,
    native: "ssh-keys/key-in-use",
    code: "INVALID_STATE",
  },
  {
    ...spawn,
    id: "internal-error",
    operation: "deleteVolume",
    status: 409,
    native: "global/internal-error",
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  { ...spawn, id: "conflict", status: 409, native: "global/conflict", code: "BUSY" },
  {
    ...spawn,
    id: "provider-unavailable",
    status: [400, 409, 500, 502, 503, 504],
    native: "provider/",
    says: /unavailable|quota|capacity/i,
    only: LAUNCHING,
    code: "CAPACITY_ERROR",
    effect: "unknown",
    hint: "Whoever runs the machines for Lambda has none: whether one was made is only known by looking it up by key.",
  },
  {
    ...spawn,
    id: "provider-error",
    operation: "terminate",
    status: [400, 409, 500, 502, 503, 504],
    native: "provider/",
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  {
    ...spawn,
    id: "ticket-not-created",
    operation: "terminate",
    status: [400, 500],
    native: "support-tickets/creation-failed",
    code: "INTERNAL",
    effect: "unknown",
  },
  {
    ...spawn,
    id: "unknown",
    status: 500,
    native: "global/unknown",
    code: "UNAVAILABLE",
    effect: "unknown",
    hint: "Seen at launch where two SSH keys of the account have one name.",
  },
  { ...spawn, id: "too-many-requests", status: 429, code: "RATE_LIMIT_ERROR", message: "Lambda's rate limit was met" },
  { ...spawn, id: "bad-gateway", status: [500, 502, 503, 504], code: "UNAVAILABLE", effect: "unknown" },
];

// The remote's code is shown as it is, so it has to look like one.
const NATIVE_CODE = /^[a-z][a-z0-9-]{0,40}(\/[a-z0-9-]{1,60}){0,4}$/;

/** What an answer that is no success means; undefined for what the table does not have. */
export function meaningOf(answer: HttpAnswer, operation: Operation): AnswerMeaning | undefined {
  const envelope = wireError(answer.json);
  const said = envelope !== undefined && NATIVE_CODE.test(envelope.code) ? envelope : undefined;
  const row = lambdaErrorTable.find((candidate) => fits(candidate, answer, operation, said));
  if (row === undefined) return undefined;
  return {
    code: row.code,
    effect: row.effect,
    scope: row.scope,
    hint: row.hint,
    message: row.message,
    nativeCode: said?.code,
    nativeMessage: said?.message,
  };
}

function fits(row: LambdaErrorRow, answer: HttpAnswer, operation: Operation, said: WireError | undefined): boolean {
  const statuses = typeof row.status === "number" ? [row.status] : row.status;
  if (!statuses.includes(answer.status)) return false;
  if (row.only?.includes(operation) === false) return false;
  if (row.json !== undefined && row.json !== (answer.notJson === undefined)) return false;
  if (row.native === undefined) return true;
  if (said === undefined) return false;
  const named = row.native.endsWith("/") ? said.code.startsWith(row.native) : said.code === row.native;
  return named && (row.says === undefined || row.says.test(`${said.code} ${said.message ?? ""}`));
}

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
