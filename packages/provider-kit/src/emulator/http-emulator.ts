import type { Clock } from "@slipway/core";
import type { Fault } from "./faults.ts";

/** What goes back over the wire. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The connection ends so, without an answer; `hang` never ends it. */
export type HttpBreak = "ECONNREFUSED" | "ECONNRESET" | "hang";

export interface HttpEmulatorOptions {
  readonly clock: Clock;
  /** Milliseconds of the way there, and as many of the way back. */
  readonly latencyMs: number;
  /** By the rules of the remote, or by a fault that stands in their way. */
  readonly answer: (request: Request) => Promise<HttpAnswer | HttpBreak>;
}

/** An emulated API, for a caller in this process and for a server. */
export interface HttpEmulator {
  /** To be given to a provider as `runtime.fetch`; a broken connection rejects as the real one does. */
  readonly fetch: typeof globalThis.fetch;
  /** For a server; a broken connection is `Response.error()`. */
  readonly handle: (request: Request) => Promise<Response>;
}

/**
 * The two doors of an emulated API. Who aborts hears nothing more; what was asked for goes on all the same.
 *
 * @example
 * ```ts
 * const { fetch, handle } = httpEmulator({ clock, latencyMs: 5, answer: async (request) => await api.answer(request) });
 * ```
 */
export function httpEmulator({ clock, latencyMs, answer }: HttpEmulatorOptions): HttpEmulator {
  const exchange = async (request: Request): Promise<HttpAnswer | HttpBreak> => {
    await clock.sleep(latencyMs, request.signal);
    const given = await answer(request);
    await clock.sleep(latencyMs, request.signal);
    if (given === "hang") await clock.sleep(Number.POSITIVE_INFINITY, request.signal);
    return given;
  };
  return {
    handle: async (request) => {
      const given = await exchange(request);
      return typeof given === "string" ? Response.error() : responseOf(given);
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const given = await until(exchange(request), request.signal);
      if (typeof given !== "string") return responseOf(given);
      throw new TypeError("fetch failed", { cause: Object.assign(new Error(`emulated ${given}`), { code: given }) });
    },
  };
}

/** Thrown where a request is refused; nothing was changed. */
export class HttpRefusal extends Error {
  override readonly name: string = "HttpRefusal";
  readonly answer: HttpAnswer;

  constructor(answer: HttpAnswer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** A page of a proxy, where an API's own answer was expected. */
export function htmlPage(status: number, title: string): HttpAnswer {
  const body = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return { status, headers: { "content-type": "text/html; charset=UTF-8" }, body };
}

/**
 * The answer where a fault was placed: `fixture`, what it answers with, stands before the work or after it, or the work is
 * late. Null: the fault has no answer of its own.
 */
export async function answerWithFault(
  {
    fault,
    fixture,
    clock,
  }: { readonly fault: Fault | undefined; readonly fixture: HttpAnswer | HttpBreak | null; readonly clock: Clock },
  signal: AbortSignal,
  work: () => HttpAnswer | Promise<HttpAnswer>,
): Promise<HttpAnswer | HttpBreak> {
  if (fault?.when === "before" && fixture !== null) return fixture;
  const answer = await work();
  if (fault?.when === "delayed") await clock.sleep(fault.delayMs ?? 0, signal);
  return fixture ?? answer;
}

function responseOf({ status, headers, body }: HttpAnswer): Response {
  // Some statuses may have no body, not even an empty one.
  return new Response(body === "" ? null : body, { status, headers });
}

function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void =>
      reject(signal.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}
