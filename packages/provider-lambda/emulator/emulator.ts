import type { Clock } from "@slipway/core";
import { type Fault, faultScript, simulatedClock } from "@slipway/provider-kit/emulator";
import { type Answer, failed, page, Refused, refuseParameters } from "./answers.ts";
import { type LambdaEmulatorControl, newControl } from "./control.ts";
import { type Break, fixtureFor } from "./fixtures.ts";
import type { WireRequest } from "./operations.ts";
import { ROUTES, type Route } from "./routes.ts";
import { type LambdaEmulatorSettings, resolved } from "./settings.ts";
import { throttle } from "./throttle.ts";
import { newWorld } from "./world.ts";

/** Lambda's API, emulated. */
export interface LambdaEmulator {
  readonly clock: Clock;
  /** To be given to a provider as `runtime.fetch`; a broken connection rejects as the real one does. */
  readonly fetch: typeof globalThis.fetch;
  /** For a server; a broken connection is `Response.error()`. */
  readonly handle: (request: Request) => Promise<Response>;
  readonly control: LambdaEmulatorControl;
}

const PREFIX = "/api/v1/";

/**
 * @example
 * ```ts
 * import { lambda } from "@slipway/provider-lambda";
 * import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
 *
 * const { fetch, clock } = lambdaEmulator();
 * const cloud = lambda({ owner: "me", apiKey: EMULATOR_API_KEY, runtime: { fetch, clock } });
 * await cloud.list(); // => []
 * ```
 */
export function lambdaEmulator(settings: LambdaEmulatorSettings = {}): LambdaEmulator {
  const clock = settings.clock ?? simulatedClock();
  const all = resolved(settings);
  const world = newWorld(all, clock);
  const faults = faultScript(all.seed);
  const pass = throttle(all.limits, clock);
  const requests: { readonly operation: string; readonly status: number; readonly at: number }[] = [];

  async function exchange(request: Request): Promise<Answer | Break> {
    await clock.sleep(all.latencyMs, request.signal);
    const url = new URL(request.url);
    const path = url.pathname.startsWith(PREFIX) ? url.pathname.slice(PREFIX.length) : "";
    const route = ROUTES.find((one) => one.method === request.method && one.path.test(path));
    const id = decodeURIComponent(route?.path.exec(path)?.[1] ?? "");
    const answer = await answered(request, route, { id, query: url.searchParams });
    requests.push({
      operation: route?.operation ?? "unknown",
      status: typeof answer === "string" ? 0 : answer.status,
      at: clock.now(),
    });
    await clock.sleep(all.latencyMs, request.signal);
    if (answer === "hang") await clock.sleep(Number.POSITIVE_INFINITY, request.signal);
    return answer;
  }

  async function answered(
    request: Request,
    route: Route | undefined,
    target: Pick<WireRequest, "id" | "query">,
  ): Promise<Answer | Break> {
    // Cloudflare stands before all else, and dislikes clients without a name of their own.
    const agent = request.headers.get("user-agent") ?? "";
    if (agent === "" || /^python-urllib/i.test(agent)) return page(403, "error 1010");
    const late = pass(route?.operation ?? "unknown");
    if (late !== null) return tooMany(late.waitMs);
    if (!isKnown(request, all.apiKeys)) {
      return failed(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.", "Check your API key.");
    }
    if (route === undefined) return failed(404, "global/not-found", "The resource does not exist.");
    const names = route.serves === undefined ? [route.operation] : [route.operation, route.serves];
    const fault = faults.take(names);
    const fixture = fault === undefined ? null : fixtureFor(fault);
    if (fault?.when === "before" && fixture !== null) return fixture;
    const answer = await performed(request, route, target, fault);
    if (fault?.when === "delayed") await clock.sleep(fault.delayMs ?? 0, request.signal);
    return fixture ?? answer;
  }

  async function performed(
    request: Request,
    route: Route,
    target: Pick<WireRequest, "id" | "query">,
    fault: Fault | undefined,
  ): Promise<Answer> {
    const lag = fault?.when === "stale-read" ? Math.max(all.readLagMs, 1) : all.readLagMs;
    try {
      const body = request.method === "GET" || request.method === "DELETE" ? undefined : await bodyOf(request);
      return route.handler(world, { ...target, body, seenAt: clock.now() - lag });
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  function tooMany(waitMs: number): Answer {
    const answer = page(429, "Too Many Requests");
    const seconds = String(Math.ceil(waitMs / 1_000));
    return all.retryAfter ? { ...answer, headers: { ...answer.headers, "retry-after": seconds } } : answer;
  }

  return {
    clock,
    control: newControl(world, faults, requests),
    handle: async (request) => {
      const answer = await exchange(request);
      return typeof answer === "string" ? Response.error() : responseOf(answer);
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const answer = await until(exchange(request), request.signal);
      if (typeof answer !== "string") return responseOf(answer);
      throw new TypeError("fetch failed", { cause: Object.assign(new Error(`emulated ${answer}`), { code: answer }) });
    },
  };
}

function responseOf({ status, headers, body }: Answer): Response {
  return new Response(body, { status, headers });
}

function isKnown(request: Request, apiKeys: readonly string[]): boolean {
  const authorization = request.headers.get("authorization") ?? "";
  return apiKeys.some(
    (key) =>
      authorization === `Bearer ${key}` || authorization === `Basic ${Buffer.from(`${key}:`).toString("base64")}`,
  );
}

async function bodyOf(request: Request): Promise<unknown> {
  try {
    return JSON.parse(await request.text());
  } catch {
    return refuseParameters("body: Input is not JSON");
  }
}

/** A caller that goes away hears nothing more; what it asked for goes on all the same. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void =>
      reject(signal.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}
