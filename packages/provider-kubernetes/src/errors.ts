import { errorRows, errorTable, type HttpErrorRow } from "@slipway/provider-kit/http";
import { wireFailure } from "./wire.ts";

export type KubernetesErrorRow = HttpErrorRow;

const SPAWNING = ["spawn"] as const;

// One reason for many meanings: the sentence tells them apart.
const FORBIDDEN = [
  {
    id: "anonymous",
    says: /User "system:anonymous"/,
    code: "AUTH_ERROR",
    hint: "The request carried no credential: give the context's user a token, a certificate or an exec plugin.",
  },
  {
    id: "quota-exceeded",
    says: /exceeded quota: /,
    code: "QUOTA_EXCEEDED",
    hint: "The namespace has a ResourceQuota: terminate something in it, or ask for more.",
  },
  {
    id: "quota-needs-resources",
    says: /failed quota: .* must specify /,
    code: "INVALID_SPEC",
    hint: "The namespace has a ResourceQuota that counts something which this request does not name: give resources.",
  },
  {
    id: "limit-range",
    says: /(maximum|minimum) \S+ usage per (Container|Pod)/,
    code: "INVALID_SPEC",
    hint: "The namespace has a LimitRange: ask for resources within it.",
  },
  {
    id: "pod-security",
    says: /violates PodSecurity/,
    code: "INVALID_SPEC",
    hint: "The namespace enforces a Pod Security Standard that these pods do not meet: use another namespace.",
  },
  {
    id: "named-thing-missing",
    says: /error looking up service account|no PriorityClass with name|RuntimeClass "[^"]*" not found/,
    code: "INVALID_SPEC",
  },
  {
    id: "namespace-terminating",
    says: /because it is being terminated/,
    code: "INVALID_STATE",
    hint: "The namespace is being deleted: use another one.",
  },
  {
    id: "forbidden",
    says: /cannot \S+ resource/,
    code: "AUTH_ERROR",
    hint: "The README of this provider has the Role that it needs.",
  },
] as const;

/**
 * What an API server says, and what the user gets. `native` is its reason with the kind of thing that it speaks of.
 */
export const kubernetesErrorTable: readonly KubernetesErrorRow[] = errorRows([
  {
    id: "unauthorized",
    status: 401,
    code: "AUTH_ERROR",
    message: "the API server does not accept this credential",
    hint: "Look at the user in the kubeconfig: the token or certificate has expired, or is of another cluster.",
  },
  ...FORBIDDEN.map((row) => ({ status: 403, native: "Forbidden/", ...row })),
  // A webhook or another admission controller, whose sentence is all that there is.
  { id: "admission-denied", status: 403, native: "Forbidden/", code: "INVALID_SPEC" },
  {
    id: "namespace-missing",
    status: 404,
    native: "NotFound/namespaces",
    code: "NOT_FOUND",
    hint: "Create the namespace, or name another one in the config.",
  },
  { id: "pod-missing", operation: "list", status: 404, native: "NotFound/", code: "NOT_FOUND" },
  {
    id: "being-deleted",
    status: 409,
    native: "AlreadyExists/",
    says: /object is being deleted/,
    code: "BUSY",
    hint: "The pod of an earlier instance of this key is still ending.",
  },
  { id: "already-exists", status: 409, native: "AlreadyExists/", code: "CONFLICT" },
  { id: "quota-conflict", status: 409, native: "Conflict/resourcequotas", code: "BUSY" },
  { id: "conflict", status: 409, native: "Conflict/", code: "BUSY" },
  {
    id: "expired",
    operation: "list",
    status: 410,
    code: "INVALID_STATE",
    message: "the listing's snapshot has expired",
  },
  { id: "too-large", status: 413, code: "INVALID_SPEC", message: "the request is larger than the API server takes" },
  { id: "invalid", status: 422, code: "INVALID_SPEC" },
  { id: "bad-quantity", status: 400, says: /quantities must match/, code: "INVALID_SPEC" },
  {
    id: "bad-request",
    status: 400,
    native: "BadRequest/",
    code: "UNSUPPORTED",
    message: "the API server does not understand the request",
    hint: "Its version may be too old or too new for this provider.",
  },
  { id: "method", status: [405, 406, 415], code: "UNSUPPORTED" },
  { id: "too-many-requests", status: 429, json: false, code: "RATE_LIMIT_ERROR" },
  { id: "disruption-budget", operation: "terminate", status: 429, native: "TooManyRequests/", code: "BUSY" },
  // Admission comes before anything is stored.
  { id: "webhook-failed", status: 500, native: "InternalError/", says: /failed calling webhook/, code: "UNAVAILABLE" },
  {
    id: "object-too-large",
    status: 500,
    says: /request is too large|message larger than max/,
    only: SPAWNING,
    code: "INVALID_SPEC",
    hint: "Shorten labels or the bootstrap.",
  },
  { id: "timeout", status: 504, says: /request did not complete/, code: "TIMEOUT", effect: "unknown" },
  { id: "server-error", status: [500, 502, 503, 504], code: "UNAVAILABLE", effect: "unknown" },
]);

const fromTable = errorTable(kubernetesErrorTable, wireFailure);

/** What an answer that is no success means; undefined for what the table does not have. */
export const meaningOf: ReturnType<typeof errorTable> = (answer, operation) => {
  const said = wireFailure(answer.json);
  // The name has gone on to another generation: nobody is told, since the one that was meant has ended.
  if (answer.status === 409 && said?.message.includes(OTHER_UID) === true) {
    return { code: "INVALID_STATE", effect: "none", nativeCode: said.code, nativeMessage: said.message };
  }
  return fromTable(answer, operation);
};

/** What the server says of a write that names the uid of an earlier generation. */
export const OTHER_UID = "UID in the precondition";
