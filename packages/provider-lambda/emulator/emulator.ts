import type { Clock } from "@slipway/core";
import {
  answerWithFault,
  type Fault,
  faultScript,
  type HttpAnswer,
  type HttpBreak,
  type HttpEmulator,
  HttpRefusal,
  htmlPage,
  httpEmulator,
  simulatedClock,
} from "@slipway/provider-kit/emulator";
import { failed, refuseParameters } from "./answers.ts";
import { type LambdaEmulatorControl, newControl } from "./control.ts";
import { fixtureFor } from "./fixtures.ts";
import type { WireRequest } from "./operations.ts";
import { ROUTES, type Route } from "./routes.ts";
import { type LambdaEmulatorSettings, resolved } from "./settings.ts";
import { throttle } from "./throttle.ts";
import { newWorld } from "./world.ts";

/** Lambda's API, emulated. */
export interface LambdaEmulator extends HttpEmulator {
  readonly clock: Clock;
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

  async function recorded(request: Request): Promise<HttpAnswer | HttpBreak> {
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
    return answer;
  }

  async function answered(
    request: Request,
    route: Route | undefined,
    target: Pick<WireRequest, "id" | "query">,
  ): Promise<HttpAnswer | HttpBreak> {
    // Cloudflare stands before all else, and dislikes clients without a name of their own.
    const agent = request.headers.get("user-agent") ?? "";
    if (agent === "" || /^python-urllib/i.test(agent)) return htmlPage(403, "error 1010");
    const late = pass(route?.operation ?? "unknown");
    if (late !== null) return tooMany(late.waitMs);
    if (!isKnown(request, all.apiKeys)) {
      return failed(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.", "Check your API key.");
    }
    if (route === undefined) return failed(404, "global/not-found", "The resource does not exist.");
    const names = route.serves === undefined ? [route.operation] : [route.operation, route.serves];
    const fault = faults.take(names);
    const fixture = fault === undefined ? null : fixtureFor(fault);
    return await answerWithFault({ fault, fixture, clock }, request.signal, () =>
      performed(request, route, target, fault),
    );
  }

  async function performed(
    request: Request,
    route: Route,
    target: Pick<WireRequest, "id" | "query">,
    fault: Fault | undefined,
  ): Promise<HttpAnswer> {
    const lag = fault?.when === "stale-read" ? Math.max(all.readLagMs, 1) : all.readLagMs;
    try {
      const body = request.method === "GET" || request.method === "DELETE" ? undefined : await bodyOf(request);
      return route.handler(world, { ...target, body, seenAt: clock.now() - lag });
    } catch (error) {
      if (error instanceof HttpRefusal) return error.answer;
      throw error;
    }
  }

  function tooMany(waitMs: number): HttpAnswer {
    const answer = htmlPage(429, "Too Many Requests");
    const seconds = String(Math.ceil(waitMs / 1_000));
    return all.retryAfter ? { ...answer, headers: { ...answer.headers, "retry-after": seconds } } : answer;
  }

  return {
    clock,
    control: newControl(world, faults, requests),
    ...httpEmulator({ clock, latencyMs: all.latencyMs, answer: recorded }),
  };
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
