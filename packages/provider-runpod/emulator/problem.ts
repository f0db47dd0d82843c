import { type Fault, type HttpAnswer, type HttpBreak, HttpRefusal } from "@slipway/provider-kit/emulator";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  422: "Unprocessable Entity",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** A refusal, as it goes through the emulator until it is answered. */
export class Problem extends HttpRefusal {
  override readonly name: string = "Problem";

  constructor(
    status: number,
    detail: string,
    more: { readonly errors?: readonly string[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(problemAnswer(status, detail, more));
  }
}

function problemAnswer(
  status: number,
  detail: string,
  { errors = [], headers = {} }: { readonly errors?: readonly string[]; readonly headers?: HttpAnswer["headers"] },
): HttpAnswer {
  const body = { title: TITLES[status] ?? "Error", status, detail, ...(errors.length === 0 ? {} : { errors }) };
  return { status, headers: { "content-type": "application/problem+json", ...headers }, body: JSON.stringify(body) };
}

export const NO_INSTANCES =
  "There are no longer any instances available with the requested specifications. Please refresh and try again.";

/** Cloudflare's page for a client that it does not like. */
const BLOCKED = "<!DOCTYPE html><html><head><title>Access denied</title></head><body>error code: 1010</body></html>";

// What RunPod says, by the row of the provider's error table that it leads to.
const SAID: Readonly<Record<string, HttpAnswer>> = {
  "spend-limit": say(400, "This pod would exceed your account's spending limit."),
  "spend-limit-unclear": say(500, "create pod: spend limit reached"),
  "no-capacity": say(400, NO_INSTANCES),
  "no-capacity-unclear": say(500, "create pod: There are no instances currently available"),
  "no-funds": say(400, "There is not enough funds in your account to rent this pod."),
  "volume-in-use": say(400, "network volume is in use by a pod"),
  "bad-request": say(400, "mounts.persistent and mounts.network exclude each other"),
  unauthorized: say(401, "missing bearer token"),
  "insufficient-balance": say(402, "insufficient balance"),
  "missing-scope": say(403, "the API key lacks the scope pods:write"),
  "pool-closed": say(403, "access denied"),
  "access-denied": say(403, "access denied"),
  "blocked-by-proxy": { status: 403, headers: { "content-type": "text/html" }, body: BLOCKED },
  "unknown-thing-in-request": say(404, "template not found"),
  "not-found": say(404, "pod not found"),
  "method-not-allowed": say(405, "method not allowed", { allow: "GET" }),
  "cluster-member": say(409, "pod is a member of a cluster"),
  "action-not-allowed": say(409, "action not allowed in the pod's current status"),
  "api-retired": say(410, "this version of the API has been retired"),
  "request-too-large": say(413, "request body exceeds 102400 bytes"),
  unprocessable: say(422, "$: additional properties 'colour' not allowed"),
  "rate-limit": say(429, "rate limit exceeded for the minute window", { "retry-after": "1" }),
  "server-error": say(500, "Something went wrong. Please try again later or contact support."),
};

function say(status: number, detail: string, headers: HttpAnswer["headers"] = {}): HttpAnswer {
  return problemAnswer(status, detail, { headers });
}

const ROW_OF_CODE: Readonly<Record<string, string>> = {
  CAPACITY_ERROR: "no-capacity",
  QUOTA_EXCEEDED: "insufficient-balance",
  AUTH_ERROR: "unauthorized",
  RATE_LIMIT_ERROR: "rate-limit",
  INVALID_SPEC: "unprocessable",
  NOT_FOUND: "not-found",
  INVALID_STATE: "action-not-allowed",
  UNAVAILABLE: "server-error",
  INTERNAL: "blocked-by-proxy",
  UNSUPPORTED: "api-retired",
};

/** The answer of a row of the error table, or of a code. Throws a TypeError for what RunPod cannot be made to say. */
export function failureOf(row: string | undefined, code: string | undefined): HttpAnswer {
  const id = row ?? ROW_OF_CODE[code ?? "UNAVAILABLE"];
  const answer = id === undefined ? undefined : SAID[id];
  if (answer === undefined) throw new TypeError(`the emulator has no answer for ${row ?? code}`);
  return answer;
}

/** What a fault answers with; null where it only delays. */
export function fixtureFor({ when, code, row }: Fault): HttpAnswer | HttpBreak | null {
  if (when === "reply-lost") return "ECONNRESET";
  return when === "delayed" ? null : failureOf(row, code);
}

/**
 * Is there an answer that a provider has to take for this code?
 *
 * @example
 * ```ts
 * canSay("CAPACITY_ERROR"); // => true
 * ```
 */
export function canSay(code: string): boolean {
  return Object.hasOwn(ROW_OF_CODE, code);
}
