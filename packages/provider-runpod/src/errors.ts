import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import { errorRows, errorTable, type HttpErrorRow } from "@slipway/provider-kit/http";
import { wireProblem } from "./wire.ts";

export const PROVIDER = "runpod";

export type RunpodErrorRow = HttpErrorRow;

const NO_CAPACITY =
  /no longer any instances available|no instances (currently )?available|could not find any pods|does not have the resources|not enough free gpus/i;
const SPEND_LIMIT = /spend(ing)? limit|maximum hourly spend/i;
const NO_FUNDS = /not enough funds|insufficient (funds|balance)/i;
const MONEY = new RegExp(`${SPEND_LIMIT.source}|${NO_FUNDS.source}`, "i");
const SCOPE_MISSING = /\bscopes?\b|permission/i;
const IN_USE = /in use|attached/i;

const PLACING = ["spawn", "start"] as const;
const CLIENT_ERRORS = [400, 402, 403, 409, 422, 429];
const SERVER_ERRORS = [500, 501, 502, 503, 504];

export const runpodErrorTable: readonly RunpodErrorRow[] = errorRows([
  {
    id: "spend-limit",
    json: true,
    status: CLIENT_ERRORS,
    says: SPEND_LIMIT,
    code: "QUOTA_EXCEEDED",
    hint: "The account's spend limit is met: end something, or have the limit raised in RunPod's console.",
  },
  {
    id: "spend-limit-unclear",
    status: SERVER_ERRORS,
    says: MONEY,
    json: true,
    code: "QUOTA_EXCEEDED",
    effect: "unknown",
    hint: "The account's spend limit is met, or its money spent; whether the pod was made is known by looking it up by key.",
  },
  {
    id: "no-funds",
    json: true,
    status: CLIENT_ERRORS,
    says: NO_FUNDS,
    code: "QUOTA_EXCEEDED",
    hint: "Add funds: at least one hour of the pod's price is needed to start it.",
  },
  {
    id: "no-capacity",
    json: true,
    status: CLIENT_ERRORS,
    says: NO_CAPACITY,
    only: PLACING,
    code: "CAPACITY_ERROR",
    hint: "Try the next of `placements`. If all of them answer this, suspect the request.",
  },
  {
    id: "no-capacity-unclear",
    status: SERVER_ERRORS,
    says: NO_CAPACITY,
    json: true,
    only: PLACING,
    code: "CAPACITY_ERROR",
    effect: "unknown",
    hint: "Whether the pod was made is known by looking it up by key; if not, try the next of `placements`.",
  },
  {
    id: "volume-in-use",
    json: true,
    operation: "deleteVolume",
    status: [400, 409],
    says: IN_USE,
    only: ["deleteVolume"],
    code: "INVALID_STATE",
    hint: "A network volume is freed only when its pod is terminated.",
  },
  { id: "bad-request", json: true, status: 400, code: "INVALID_SPEC" },
  {
    id: "unauthorized",
    operation: "onStartup",
    status: 401,
    code: "AUTH_ERROR",
    message: "RunPod does not know this API key",
    hint: "Make a key in RunPod's console under Settings, and give it as apiKey or RUNPOD_API_KEY.",
  },
  {
    id: "insufficient-balance",
    json: true,
    status: 402,
    code: "QUOTA_EXCEEDED",
    hint: "Add funds: at least one hour of the pod's price is needed to start it.",
  },
  {
    id: "missing-scope",
    json: true,
    status: 403,
    says: SCOPE_MISSING,
    code: "AUTH_ERROR",
    hint: "The key is restricted: give it the right that the message names.",
  },
  {
    id: "pool-closed",
    json: true,
    status: 403,
    only: PLACING,
    code: "AUTH_ERROR",
    scope: "placement",
    message: "this pool is closed to the account, or the key lacks the right to create pods",
    hint: "RunPod says the same of both: try the next of `placements`, and if all answer this, look at the key's rights.",
  },
  { id: "access-denied", json: true, operation: "list", status: 403, code: "AUTH_ERROR" },
  {
    id: "blocked-by-proxy",
    status: 403,
    json: false,
    code: "INTERNAL",
    effect: "unknown",
    message: "something before RunPod's API refused the request (HTTP 403 without a problem document)",
    hint: "Cloudflare refuses clients by their User-Agent or address; this says nothing about the key.",
  },
  {
    id: "unknown-thing-in-request",
    json: true,
    status: 404,
    only: ["spawn", "createVolume"],
    code: "INVALID_SPEC",
    hint: "The message names it: the GPU type, volume, registry or template is not there.",
  },
  { id: "not-found", json: true, operation: "listVolumes", status: 404, code: "NOT_FOUND" },
  {
    id: "method-not-allowed",
    status: 405,
    code: "INTERNAL",
    effect: "unknown",
    message: "RunPod does not have this method here (HTTP 405)",
    hint: "The API has changed, or the base URL is not that of REST v2: upgrade this package.",
  },
  {
    id: "cluster-member",
    json: true,
    operation: "terminate",
    status: 409,
    says: /cluster/i,
    code: "INVALID_STATE",
    hint: "A member of a cluster ends only with its cluster: delete that in RunPod's console.",
  },
  {
    id: "action-not-allowed",
    json: true,
    operation: "terminate",
    status: 409,
    code: "INVALID_STATE",
    hint: "Read the pod again: RunPod takes this action only in certain states.",
  },
  {
    id: "api-retired",
    operation: "list",
    status: 410,
    code: "UNSUPPORTED",
    message: "API retired, upgrade: RunPod no longer answers at this address (HTTP 410)",
    hint: "Upgrade @slipway/provider-runpod, and look at baseUrl and RUNPOD_BASE_URL: they must lead to REST v2.",
  },
  {
    id: "request-too-large",
    status: 413,
    code: "INVALID_SPEC",
    message: "the request is larger than RunPod takes",
    hint: "Make the bootstrap smaller: have it fetch what it needs.",
  },
  { id: "unprocessable", json: true, status: 422, code: "INVALID_SPEC" },
  {
    id: "rate-limit",
    operation: "list",
    status: 429,
    code: "RATE_LIMIT_ERROR",
    message: "RunPod's rate limit was met",
  },
  { id: "server-error", status: SERVER_ERRORS, code: "UNAVAILABLE", effect: "unknown" },
]);

/** What an answer that is no success means. RunPod has no codes: words of `detail` tell one from another. */
export const meaningOf: ReturnType<typeof errorTable> = errorTable(runpodErrorTable, (json) => {
  const detail = wireProblem(json)?.detail;
  return detail === undefined ? undefined : { message: detail };
});

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
