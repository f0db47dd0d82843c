/** What an API server answers, by the rows of the error table; test/cluster provokes most of them on the real one. */
export interface ErrorAnswer {
  readonly status: number;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

function status(code: number, reason: string, message: string, details: object = { kind: "pods" }): ErrorAnswer {
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, details, code };
  return { status: code, body: JSON.stringify(body) };
}

const forbidden = (why: string): ErrorAnswer => status(403, "Forbidden", `pods "x" is forbidden: ${why}`);

export const ERROR_ANSWERS: Readonly<Record<string, ErrorAnswer>> = {
  unauthorized: status(401, "Unauthorized", "Unauthorized", {}),
  anonymous: status(
    403,
    "Forbidden",
    'pods is forbidden: User "system:anonymous" cannot create resource "pods" in API group "" in the namespace "n"',
  ),
  "quota-exceeded": forbidden("exceeded quota: rq, requested: pods=1, used: pods=3, limited: pods=3"),
  "quota-needs-resources": forbidden("failed quota: rq: must specify requests.cpu for: main"),
  "limit-range": forbidden("maximum cpu usage per Container is 1, but limit is 4"),
  "pod-security": forbidden('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false'),
  "named-thing-missing": forbidden("no PriorityClass with name nope was found"),
  "namespace-terminating": forbidden("unable to create new content in namespace n because it is being terminated"),
  forbidden: status(
    403,
    "Forbidden",
    'pods is forbidden: User "tenant" cannot create resource "pods" in API group "" in the namespace "n"',
  ),
  "admission-denied": status(403, "Forbidden", 'admission webhook "guard.example.test" denied the request: no'),
  "namespace-missing": status(404, "NotFound", 'namespaces "n" not found', { name: "n", kind: "namespaces" }),
  "pod-missing": status(404, "NotFound", 'pods "x" not found'),
  "being-deleted": status(409, "AlreadyExists", 'object is being deleted: pods "x" already exists'),
  "already-exists": status(409, "AlreadyExists", 'pods "x" already exists'),
  "quota-conflict": status(
    409,
    "Conflict",
    'Operation cannot be fulfilled on resourcequotas "rq": the object has been modified; please apply your changes to the latest version and try again',
    { name: "rq", kind: "resourcequotas" },
  ),
  conflict: status(409, "Conflict", 'Operation cannot be fulfilled on pods "x": the object has been modified'),
  expired: status(
    410,
    "Expired",
    "The provided continue parameter is too old to display a consistent list result.",
    {},
  ),
  "too-large": status(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", {}),
  invalid: status(422, "Invalid", 'Pod "x" is invalid: spec.containers[0].image: Required value', { kind: "Pod" }),
  "bad-quantity": status(
    400,
    "BadRequest",
    "Pod in version \"v1\" cannot be handled as a Pod: quantities must match the regular expression '^...$'",
    {},
  ),
  "bad-request": status(400, "BadRequest", 'strict decoding error: unknown field "spec.nonsense"', {}),
  method: status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}),
  "too-many-requests": {
    status: 429,
    contentType: "text/plain; charset=utf-8",
    headers: { "retry-after": "1" },
    body: "Too many requests, please try again later.\n",
  },
  "disruption-budget": status(
    429,
    "TooManyRequests",
    "Cannot evict pod as it would violate the pod's disruption budget.",
    {},
  ),
  "webhook-failed": status(
    500,
    "InternalError",
    'Internal error occurred: failed calling webhook "guard.example.test": failed to call webhook: connection refused',
    {},
  ),
  "object-too-large": status(500, "", "etcdserver: request is too large", {}),
  timeout: {
    status: 504,
    contentType: "text/plain; charset=utf-8",
    body: '{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}',
  },
  "server-error": status(503, "ServiceUnavailable", "the server is currently unable to handle the request", {}),
  "garbled-answer": { status: 200, body: '{"kind":"Pod","metadata":{"na' },
  "page-instead": { status: 200, contentType: "text/html", body: "<!doctype html><p>Please wait" },
};
