// What undici and the system call a connection that was never made: the request cannot have been read.
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** The system's code of a failed connection, found down the chain of causes; undefined if there is none. */
export function connectionCode(error: unknown): string | undefined {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
    if (cause instanceof AggregateError) return connectionCode(cause.errors[0]);
  }
  return undefined;
}

/** Is it sure that nothing of the request left this machine for the remote's program? */
export function neverSent(error: unknown): boolean {
  const code = connectionCode(error);
  return code !== undefined && NEVER_SENT.has(code);
}
