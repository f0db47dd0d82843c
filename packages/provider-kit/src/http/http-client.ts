import {
  abortError,
  deadline,
  type ErrorCode,
  type ErrorEffect,
  isProviderError,
  ProviderError,
  reportRemoteDate,
  runtimeDefaults,
  timestamp,
} from "@slipway/core";
import { redact, redactCause, redactNative } from "../redact.ts";
import { type HttpAnswer, readAnswer, UnreadableBody } from "./answer.ts";
import type { AnswerMeaning } from "./answer-meaning.ts";
import { connectionCode, neverSent } from "./connection-failure.ts";
import { defaultMeaning } from "./default-meaning.ts";
import { type HttpCall, isWrite, urlOf } from "./http-call.ts";
import type { HttpClientOptions } from "./http-client-options.ts";
import { fetchFollowing, RefusedRedirect } from "./redirect.ts";
import { retryAfterMs } from "./retry-after.ts";

export interface HttpClient {
  /** The decoded answer of a success. Rejects with a ProviderError whose effect is true. */
  readonly call: <T>(call: HttpCall<T>) => Promise<T>;
  /** As `call`, but null where the remote itself says that the thing is not there: for a read or a delete of one thing. */
  readonly find: <T>(call: HttpCall<T>) => Promise<T | null>;
}

const BACKOFF_MS = [500, 2_000, 8_000];
// A longer wait is the caller's to decide on: the error says how long it is. No header halts an account longer, whatever
// unit it is in: nothing could be terminated in that time.
const LONGEST_WAIT_MS = 300_000;

/** A client for one account of one HTTP API: paced, bounded, redacted, and honest about effects. */
export function httpClient(options: HttpClientOptions): HttpClient {
  const runtime = runtimeDefaults(options.runtime);
  const { clock } = runtime;
  const attempts = options.attempts ?? 4;
  // Errors that are the remote's own word that the thing is not there.
  const absent = new WeakSet<object>();
  return {
    call: request,
    find: async (call) => {
      try {
        return await request(call);
      } catch (error) {
        if (typeof error === "object" && error !== null && absent.has(error)) return null;
        throw error;
      }
    },
  };

  async function request<T>(call: HttpCall<T>): Promise<T> {
    let isRenewed = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await tryOnce(call);
      } catch (error) {
        if (!isProviderError(error)) throw error;
        if (!isRenewed && options.renew !== undefined && isRefusedCredential(error)) {
          options.renew();
          isRenewed = true;
          continue;
        }
        if (attempt >= attempts || !mayTryAgain(error, call)) {
          if (error.code === "RATE_LIMIT_ERROR") hold(call, error.retryAfterMs);
          throw error;
        }
        await pause(error, attempt, call);
      }
    }
  }

  function mayTryAgain(failure: ProviderError, call: HttpCall<unknown>): boolean {
    if (!failure.retryable || failure.category === "capacity" || call.signal?.aborted === true) return false;
    return failure.effect === "none" && (failure.retryAfterMs ?? 0) <= LONGEST_WAIT_MS;
  }

  async function pause(failure: ProviderError, attempt: number, call: HttpCall<unknown>): Promise<void> {
    const { operation } = call;
    const ms = failure.retryAfterMs ?? BACKOFF_MS[attempt - 1] ?? 8_000;
    if (failure.code === "RATE_LIMIT_ERROR") {
      // The shared budget waits for all who draw on it, this call among them.
      hold(call, ms);
      return;
    }
    runtime.onEvent({
      type: "wait",
      at: timestamp(clock),
      provider: options.provider,
      operation,
      reason: "retry-after",
      ms,
    });
    try {
      await clock.sleep(ms, call.signal);
    } catch {
      throw call.signal === undefined ? failure : abortError(call.signal, at(call, "none"));
    }
  }

  async function tryOnce<T>(call: HttpCall<T>): Promise<T> {
    await acquire(call);
    call.onSent?.();
    const limit = deadline(clock, call.timeoutMs ?? options.timeoutMs ?? 30_000, call.signal);
    try {
      const answer = await exchange(call, limit.signal);
      return await decode(call, answer);
    } finally {
      limit.release();
    }
  }

  function bucketOf(call: HttpCall<unknown>) {
    return { account: options.account, operation: call.bucket ?? call.operation };
  }

  /** Everybody who draws on the call's budget waits, this one at its next try. */
  function hold(call: HttpCall<unknown>, ms: number | undefined): void {
    if (ms !== undefined) options.limits.defer(bucketOf(call), Math.min(ms, LONGEST_WAIT_MS));
  }

  async function acquire(call: HttpCall<unknown>): Promise<void> {
    try {
      await untilAborted(options.limits.acquire(bucketOf(call), { signal: call.signal }), call.signal);
    } catch (error) {
      if (call.signal?.aborted === true) throw abortError(call.signal, at(call, "none"));
      throw error;
    }
  }

  async function exchange(call: HttpCall<unknown>, signal: AbortSignal): Promise<HttpAnswer> {
    const credentials = await credentialsFor(call, signal);
    const headers = new Headers({ ...credentials, accept: "application/json", "user-agent": options.userAgent });
    if (call.body !== undefined) headers.set("content-type", "application/json");
    const init = {
      method: call.method,
      headers,
      signal,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    };
    const sentAt = clock.now();
    try {
      const response = await fetchFollowing(runtime.fetch, urlOf(call, options.baseUrl), init, {
        credentials: Object.keys(credentials),
        mayChangeMethod: !isWrite(call),
      });
      reportRemoteDate(runtime, response.headers, {
        provider: options.provider,
        sentAt,
        receivedAt: clock.now(),
      });
      return await readAnswer(response, options.maxAnswerBytes ?? 10 * 1024 * 1024);
    } catch (error) {
      throw exchangeFailure(error, call, signal);
    }
  }

  async function credentialsFor(call: HttpCall<unknown>, signal: AbortSignal) {
    try {
      return await untilAborted(Promise.resolve(options.credentials()), signal);
    } catch (error) {
      if (signal.aborted) throw abortError(signal, at(call, "none"));
      if (isProviderError(error)) throw error;
      // Its text may hold anything, a secret too: it stays in `cause`.
      const kind = error instanceof Error ? error.name : typeof error;
      throw fail("AUTH_ERROR", call, "none", `the credential cannot be had (${kind})`, { cause: error });
    }
  }

  function exchangeFailure(error: unknown, call: HttpCall<unknown>, signal: AbortSignal): ProviderError {
    const sent: ErrorEffect = isWrite(call) ? "unknown" : "none";
    if (signal.aborted) return abortError(signal, at(call, sent));
    if (error instanceof RefusedRedirect || error instanceof UnreadableBody) {
      return fail("INTERNAL", call, sent, error.message, { cause: error });
    }
    const code = connectionCode(error);
    return fail("NETWORK", call, neverSent(error) ? "none" : sent, `no answer from ${new URL(options.baseUrl).host}`, {
      ...(code === undefined ? {} : { native: { code } }),
      hint: "Check the network, the proxy and the address of the API.",
      cause: error,
    });
  }

  async function decode<T>(call: HttpCall<T>, answer: HttpAnswer): Promise<T> {
    const wait = retryAfterMs(answer.headers, clock.now());
    if (answer.status >= 200 && answer.status < 300) {
      hold(call, wait);
      // An empty body may be a success; the schema decides. Any other body has to be JSON.
      if (answer.notJson !== undefined && answer.text !== "") throw unusable(call, answer);
      const result = await call.answer["~standard"].validate(answer.json);
      if (result.issues === undefined) return result.value;
      throw unusable(call, answer);
    }
    const isNotFound = options.isNotFound?.(answer) === true;
    const failure = meant(call, answer, meaningFor(call, answer, isNotFound), wait);
    if (isNotFound) absent.add(failure);
    throw failure;
  }

  /** What somebody else's 404 says of the thing is nothing, whatever the provider's table has for a 404. */
  function meaningFor(call: HttpCall<unknown>, answer: HttpAnswer, isNotFound: boolean): AnswerMeaning {
    const known = options.meaningOf(answer, call.operation);
    if (isNotFound) return known ?? { code: "NOT_FOUND", effect: "none" };
    const isForeign = answer.status === 404 && known?.nativeCode === undefined;
    return isForeign || known === undefined ? defaultMeaning(answer, isWrite(call)) : known;
  }

  /** A success that cannot be read: a write was done, unless what answered was not the API at all. */
  function unusable(call: HttpCall<unknown>, answer: HttpAnswer): ProviderError {
    const isApi = (answer.headers.get("content-type") ?? "").includes("json");
    const effect = isWrite(call) ? (isApi ? "applied" : "unknown") : "none";
    const why = answer.notJson ?? "it is not what the API documents";
    return fail("INTERNAL", call, effect, `the answer to ${call.operation} cannot be used: ${why}`, {
      native: nativeOf(answer),
      hint: "If it stays so, the API has changed or a proxy stands between.",
    });
  }

  function meant(
    call: HttpCall<unknown>,
    answer: HttpAnswer,
    meaning: AnswerMeaning,
    wait: number | undefined,
  ): ProviderError {
    // Redacted before it is cut: half a secret would not be found any more.
    const said = meaning.nativeMessage === undefined ? "" : `: ${redacted(meaning.nativeMessage, call).slice(0, 500)}`;
    const message = `${meaning.message ?? `${call.operation} was refused (HTTP ${answer.status})`}${said}`;
    return fail(meaning.code, call, isWrite(call) ? meaning.effect : "none", message, {
      native: { ...nativeOf(answer), ...(meaning.nativeCode === undefined ? {} : { code: meaning.nativeCode }) },
      retryAfterMs: wait,
      scope: meaning.scope,
      hint: meaning.hint,
    });
  }

  function fail(
    code: ErrorCode,
    call: HttpCall<unknown>,
    effect: ErrorEffect,
    message: string,
    more: Partial<ConstructorParameters<typeof ProviderError>[1]>,
  ): ProviderError {
    const { native, cause } = more;
    return new ProviderError(code, {
      ...more,
      ...at(call, effect),
      message: redacted(message, call),
      // A proxy may repeat what was sent in a header of its answer, and Node in an error.
      ...(native === undefined ? {} : { native: redactNative(native, secretsOf(call)) }),
      ...(cause === undefined ? {} : { cause: redactCause(cause, secretsOf(call)) }),
    });
  }

  function redacted(text: string, call: HttpCall<unknown>): string {
    return redact(text, secretsOf(call));
  }

  function secretsOf(call: HttpCall<unknown>): readonly string[] {
    return [...options.secrets(), ...(call.secrets ?? [])];
  }

  function at(call: HttpCall<unknown>, effect: ErrorEffect) {
    return { provider: options.provider, operation: call.operation, effect };
  }
}

function nativeOf(answer: HttpAnswer): { readonly status: number; readonly requestId?: string } {
  return { status: answer.status, ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }) };
}

/** The remote did not take the credential; what it says of a place or a thing is no business of the credential's. */
function isRefusedCredential({ code, scope, effect, native }: ProviderError): boolean {
  return code === "AUTH_ERROR" && scope === "account" && effect === "none" && native?.status !== undefined;
}

/** Waits for what may mind no signal: the caller's own time ends the wait all the same. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const gaveUp = Promise.withResolvers<never>();
  const onAbort = (): void => gaveUp.reject(new Error("aborted"));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, gaveUp.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
