import type { ErrorEffect } from "./codes.ts";
import { type Operation, ProviderError } from "./provider-error.ts";

/**
 * The error of a call that its signal ended: TIMEOUT where the signal's reason is a `TimeoutError` (as
 * `AbortSignal.timeout` gives it), CANCELLED otherwise. `effect` is what is true at the place that noticed.
 *
 * @example
 * ```ts
 * const ended = AbortSignal.abort(new DOMException("30 s are over", "TimeoutError"));
 * abortError(ended, { provider: "lambda", operation: "get", effect: "none" }).code; // => "TIMEOUT"
 * ```
 */
export function abortError(
  signal: AbortSignal,
  at: { readonly provider: string; readonly operation: Operation; readonly effect: ErrorEffect },
): ProviderError<"TIMEOUT"> | ProviderError<"CANCELLED"> {
  const reason: unknown = signal.reason;
  const timedOut = typeof reason === "object" && reason !== null && "name" in reason && reason.name === "TimeoutError";
  return timedOut
    ? new ProviderError("TIMEOUT", { ...at, message: `${at.operation} did not finish in time`, cause: reason })
    : new ProviderError("CANCELLED", { ...at, message: `${at.operation} was cancelled`, cause: reason });
}
