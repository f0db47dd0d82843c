import { errorRows, errorTable, type HttpErrorRow } from "@slipway/provider-kit/http";
import { wireError } from "./wire.ts";

export type LambdaErrorRow = HttpErrorRow;

const LAUNCHING = ["spawn"] as const;

/** What Lambda says, and what the user gets. Its document says to go by the code, and not by the status. */
export const lambdaErrorTable: readonly LambdaErrorRow[] = errorRows([
  {
    id: "invalid-api-key",
    status: 401,
    code: "AUTH_ERROR",
    message: "Lambda does not know this API key",
    hint: "Make a key at cloud.lambda.ai/api-keys and give it as apiKey or LAMBDA_API_KEY.",
  },
  {
    id: "account-inactive",
    native: "global/account-inactive",
    code: "AUTH_ERROR",
    hint: "The key is right, the account is not active: look at its payment and e-mail in Lambda's dashboard.",
  },
  {
    id: "invalid-address",
    native: "global/invalid-address",
    code: "AUTH_ERROR",
    hint: "Lambda wants a billing address that it can check: correct it in the dashboard.",
  },
  { id: "forbidden", native: "global/forbidden", code: "AUTH_ERROR" },
  {
    id: "blocked-by-proxy",
    status: 403,
    json: false,
    code: "INTERNAL",
    effect: "unknown",
    message: "something before Lambda's API refused the request (HTTP 403 without its envelope)",
    hint: "Cloudflare refuses clients that it does not like by their User-Agent or address; this says nothing about the key.",
  },
  {
    id: "too-many-instances",
    native: "global/invalid-parameters",
    says: /quantity|too many instances/i,
    code: "INVALID_SPEC",
    hint: "Lambda starts one instance with each launch.",
  },
  { id: "invalid-parameters", native: "global/invalid-parameters", code: "INVALID_SPEC" },
  {
    id: "unknown-thing-at-launch",
    native: "global/object-does-not-exist",
    only: LAUNCHING,
    code: "INVALID_SPEC",
    hint: "The message names it: the machine type, region, SSH key, image or filesystem is not there.",
  },
  {
    id: "object-does-not-exist",
    operation: "list",
    native: "global/object-does-not-exist",
    code: "NOT_FOUND",
  },
  { id: "not-found", operation: "list", native: "global/not-found", code: "NOT_FOUND" },
  {
    id: "quota-exceeded",
    native: "global/quota-exceeded",
    code: "QUOTA_EXCEEDED",
    hint: "Waiting does not help: end something, or ask Lambda for a higher quota.",
  },
  {
    id: "insufficient-capacity",
    native: "instance-operations/launch/insufficient-capacity",
    code: "CAPACITY_ERROR",
    hint: "Try another region or machine type: `placements` lists where capacity is shown now.",
  },
  {
    id: "file-system-in-wrong-region",
    native: "instance-operations/launch/file-system-in-wrong-region",
    code: "INVALID_SPEC",
  },
  {
    id: "file-systems-not-supported",
    native: "instance-operations/launch/file-systems-not-supported",
    code: "INVALID_SPEC",
  },
  { id: "duplicate", operation: "createVolume", native: "global/duplicate", code: "CONFLICT" },
  {
    id: "filesystem-in-use",
    operation: "deleteVolume",
    native: "filesystems/filesystem-in-use",
    code: "INVALID_STATE",
    hint: "Only the end of the instance detaches a filesystem: terminate it first.",
  },
  {
    id: "firewall-ruleset-in-use",
    operation: "deleteVolume",
    native: "firewall-rulesets/firewall-ruleset-in-use",
    code: "INVALID_STATE",
  },
  { id: "key-in-use", operation: "deleteVolume", native: "ssh-keys/key-in-use", code: "INVALID_STATE" },
  {
    id: "internal-error",
    operation: "deleteVolume",
    native: "global/internal-error",
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  { id: "conflict", native: "global/conflict", code: "BUSY" },
  {
    id: "provider-unavailable",
    native: "provider/",
    says: /unavailable|quota|capacity/i,
    only: LAUNCHING,
    code: "CAPACITY_ERROR",
    effect: "unknown",
    hint: "Whoever runs the machines for Lambda has none: whether one was made is only known by looking it up by key.",
  },
  {
    id: "provider-error",
    operation: "terminate",
    native: "provider/",
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  {
    id: "ticket-not-created",
    operation: "terminate",
    native: "support-tickets/creation-failed",
    code: "INTERNAL",
    effect: "unknown",
  },
  {
    id: "unknown",
    native: "global/unknown",
    code: "UNAVAILABLE",
    effect: "unknown",
    hint: "Seen at launch where two SSH keys of the account have one name.",
  },
  { id: "too-many-requests", status: 429, code: "RATE_LIMIT_ERROR", message: "Lambda's rate limit was met" },
  { id: "bad-gateway", status: [500, 502, 503, 504], code: "UNAVAILABLE", effect: "unknown" },
]);

// The remote's code is shown as it is, so it has to look like one.
const NATIVE_CODE = /^[a-z][a-z0-9-]{0,40}(\/[a-z0-9-]{1,60}){0,4}$/;

/** What an answer that is no success means; undefined for what the table does not have. */
export const meaningOf: ReturnType<typeof errorTable> = errorTable(lambdaErrorTable, (json) => {
  const said = wireError(json);
  return said !== undefined && NATIVE_CODE.test(said.code) ? said : undefined;
});
