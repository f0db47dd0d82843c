import type { CapabilityMethodName } from "../capability.ts";
import { ERROR_CODES, type ErrorCode, type ErrorCodes, type ErrorEffect, type ErrorScope } from "./codes.ts";

/** What was called: a method of the contract, a hook, or a provider's own method. */
export type Operation =
  | "spawn"
  | "terminate"
  | "list"
  | "get"
  | "generateBootstrap"
  | CapabilityMethodName
  | "exec"
  | "logs"
  | "readBootstrap"
  | "register"
  | "launch"
  | "onStartup"
  | "onShutdown"
  | "onHeartbeat"
  | (string & {});

/** What the remote itself said, redacted. */
export interface NativeError {
  readonly status?: number;
  readonly code?: string;
  readonly requestId?: string;
  /** The id of the thing in the way, for CONFLICT. */
  readonly id?: string;
}

export interface ProviderErrorDetails {
  /** One sentence for a person: what happened to what. Without secrets. */
  readonly message: string;
  readonly provider: string;
  readonly operation: Operation;
  /** No default: only the place of the call knows. */
  readonly effect: ErrorEffect;
  /** The code's own if absent. */
  readonly scope?: ErrorScope | undefined;
  readonly retryAfterMs?: number | undefined;
  /** True once something has retried in vain: outer retries stop. */
  readonly exhausted?: boolean | undefined;
  readonly native?: NativeError | undefined;
  /** What the user does next, in one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

// A registered symbol, so that an error made by another copy of core is still recognised.
const BRAND = Symbol.for("slipway.ProviderError");

/** The one error that every method of every provider rejects with. Recognise it by `isProviderError`, not by class. */
export class ProviderError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = "ProviderError";
  readonly code: C;
  readonly category: ErrorCodes[C]["category"];
  /** The same request at the same place may succeed later. Whether it may be sent again also depends on `effect`. */
  readonly retryable: ErrorCodes[C]["retryable"];
  readonly scope: ErrorScope;
  readonly provider: string;
  readonly operation: Operation;
  /** Did the remote side change? */
  readonly effect: ErrorEffect;
  readonly exhausted: boolean;
  // Declared alone: a field would be there as undefined.
  declare readonly retryAfterMs?: number;
  declare readonly native?: NativeError;
  declare readonly hint?: string;

  constructor(code: C, details: ProviderErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    const row = ERROR_CODES[code];
    this.code = code;
    this.category = row.category;
    this.retryable = row.retryable;
    this.scope = details.scope ?? row.scope;
    this.provider = details.provider;
    this.operation = details.operation;
    this.effect = details.effect;
    this.exhausted = details.exhausted ?? false;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.native !== undefined) this.native = details.native;
    if (details.hint !== undefined) this.hint = details.hint;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** All but the cause and the stack, which may hold what a remote or a command printed. `JSON.stringify` would drop the message. */
  toJSON(): SerializedProviderError {
    const { name, code, category, retryable, scope, provider, operation, effect, exhausted, message } = this;
    return {
      name,
      code,
      category,
      retryable,
      scope,
      provider,
      operation,
      effect,
      exhausted,
      message,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.native === undefined ? {} : { native: this.native }),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** A ProviderError as plain data. */
export interface SerializedProviderError {
  readonly name: string;
  readonly code: ErrorCode;
  readonly category: string;
  readonly retryable: boolean;
  readonly scope: ErrorScope;
  readonly provider: string;
  readonly operation: Operation;
  readonly effect: ErrorEffect;
  readonly exhausted: boolean;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly native?: NativeError;
  readonly hint?: string;
}

/** The union over the codes, so that `code` narrows the rest and `retryable` narrows `code`. */
export type AnyProviderError<C extends ErrorCode = ErrorCode> = C extends ErrorCode ? ProviderError<C> : never;

/**
 * Is it a ProviderError, made by any copy of core, and of one of these codes if any are given?
 *
 * @example
 * ```ts
 * import { setTimeout } from "node:timers/promises";
 *
 * try {
 *   await provider.spawn({ key: "worker-1", spec: "m1.small" });
 * } catch (error) {
 *   if (!isProviderError(error, "CAPACITY_ERROR", "RATE_LIMIT_ERROR")) throw error;
 *   await setTimeout(error.retryAfterMs ?? 60_000);
 * }
 * ```
 */
export function isProviderError<const C extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is AnyProviderError<C> {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || ("code" in error && codes.some((code) => code === error.code));
}

/**
 * May a spawn that failed so be sent again as it is? Only if waiting can help and nothing was done, or the provider
 * promises that a repeat changes nothing. Otherwise look the instance up by its key first.
 *
 * @example
 * ```ts
 * const options = { key: "worker-1", spec: "m1.small" };
 * await provider.spawn(options).catch((error) => {
 *   if (!mayRepeat(error, provider)) throw error;
 *   return provider.spawn(options);
 * });
 * ```
 */
export function mayRepeat(
  error: unknown,
  provider: { readonly capabilities: { readonly idempotentSpawn: boolean } },
): boolean {
  return (
    isProviderError(error) &&
    error.retryable &&
    !error.exhausted &&
    (error.effect === "none" || provider.capabilities.idempotentSpawn)
  );
}

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
