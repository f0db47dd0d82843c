import { abortError, type ErrorCode, type ErrorEffect, ProviderError } from "@slipway/core";
import { connectionCode, neverSent, redact } from "@slipway/provider-kit/http";
import { type Call, PROVIDER } from "./call.ts";
import { bareCode, meaningOf } from "./errors.ts";
import { BrokenAnswer, type Exchange, UnusableAnswer } from "./exchange.ts";

/** Where a request to AWS failed. */
export interface FailedRequest {
  readonly call: Call;
  readonly writes: boolean;
  readonly exchange: Exchange;
  readonly secrets: readonly string[];
  /** The call's own signal joined with the request's time limit. */
  readonly signal?: AbortSignal | undefined;
}

const LONGEST_SAYING = 500;

/** What the SDK or the connection threw, as our error with its true effect. */
export function failureOf(error: unknown, request: FailedRequest): ProviderError {
  const { call, writes, exchange, signal } = request;
  const perhaps: ErrorEffect = writes && exchange.sent ? "unknown" : "none";
  if (signal?.aborted === true) {
    return abortError(signal, { provider: PROVIDER, operation: call.operation, effect: perhaps });
  }
  if (error instanceof UnusableAnswer) {
    const effect = writes ? (error.isService ? "applied" : "unknown") : "none";
    return made("INTERNAL", request, effect, `the answer to ${call.operation} cannot be used: ${error.message}`, {
      hint: "If it stays so, a proxy stands between this machine and AWS.",
    });
  }
  if (error instanceof BrokenAnswer) {
    return made("NETWORK", request, writes ? "unknown" : "none", `the answer to ${call.operation} broke off`, {
      nativeCode: connectionCode(error) ?? "",
    });
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = bareCode(name);
  const status = exchange.status;
  const whole = redact(message, request.secrets);
  const native = NATIVE.test(code) && !OF_LANGUAGE.test(code) ? code : "";
  // What the SDK says of an answer that is none of AWS's helps nobody.
  const said = native === "" && status !== undefined ? `HTTP ${status} without a code` : whole.slice(0, LONGEST_SAYING);
  if (status !== undefined || isOfCredentials(native)) {
    const meaning = meaningOf(native, message, status, call.operation);
    if (meaning !== undefined) {
      const effect = writes && exchange.sent ? meaning.effect : "none";
      return made(meaning.code, request, effect, `AWS refused ${call.operation}: ${said}`, {
        ...meaning,
        nativeCode: native,
        // Of many ids the shortened message would name only some.
        cause: new Error(whole),
      });
    }
    return made("INTERNAL", request, perhaps, `the answer to ${call.operation} is not understood: ${said}`, {
      nativeCode: native,
    });
  }
  return exchange.sent || connectionCode(error) !== undefined
    ? unconnected(error, request)
    : made("INTERNAL", request, "none", `${call.operation} could not be sent: ${said}`, {});
}

function unconnected(error: unknown, request: FailedRequest): ProviderError {
  const effect: ErrorEffect = request.writes && !neverSent(error) ? "unknown" : "none";
  return made("NETWORK", request, effect, "no answer from AWS", {
    nativeCode: connectionCode(error) ?? "",
    hint: "Check the network, the proxy and the region's name.",
  });
}

// AWS's codes are words; what JavaScript calls its own errors is none of them.
const NATIVE = /^[A-Za-z][A-Za-z0-9.]{2,80}$/;
const OF_LANGUAGE = /^(Error|TypeError|SyntaxError|RangeError|EC2ServiceException|UnknownError|Unknown)$/;

function isOfCredentials(code: string): boolean {
  return /^(Credentials|Token)ProviderError$|^NoCredentialProviders$/.test(code);
}

function made(
  code: ErrorCode,
  { call, exchange, secrets }: FailedRequest,
  effect: ErrorEffect,
  message: string,
  more: Pick<Partial<ConstructorParameters<typeof ProviderError>[1]>, "hint" | "scope" | "cause"> & {
    readonly nativeCode?: string;
  },
): ProviderError {
  const { nativeCode = "" } = more;
  return new ProviderError(code, {
    message: redact(message, secrets),
    provider: PROVIDER,
    operation: call.operation,
    effect,
    hint: more.hint,
    scope: more.scope,
    cause: more.cause,
    native: {
      ...(exchange.status === undefined ? {} : { status: exchange.status }),
      ...(exchange.requestId === undefined ? {} : { requestId: redact(exchange.requestId, secrets) }),
      ...(nativeCode === "" ? {} : { code: nativeCode }),
    },
  });
}

/** The caller gave up before anything was sent. */
export function abandoned({ operation, signal }: Call, error: unknown): unknown {
  return signal?.aborted === true ? abortError(signal, { provider: PROVIDER, operation, effect: "none" }) : error;
}
