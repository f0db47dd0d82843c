import type { Clock } from "@slipway/core";
import {
  answerWithFault,
  type Fault,
  faultScript,
  type HttpAnswer,
  type HttpBreak,
  type HttpEmulator,
  HttpRefusal,
  httpEmulator,
  simulatedClock,
} from "@slipway/provider-kit/emulator";
import { failed, refuse, refuseMissing } from "./answers.ts";
import { EMULATED_ZONES } from "./catalogue.ts";
import { type EmulatedRequest, type GcpEmulatorControl, newControl } from "./control.ts";
import { fixtureFor, rowInOperation } from "./fixtures.ts";
import { ROUTES, type Route } from "./routes.ts";
import { type GcpEmulatorSettings, resolved } from "./settings.ts";
import { throttle } from "./throttle.ts";
import { isZone, newWorld } from "./world.ts";

/** Compute Engine's API, emulated. */
export interface GcpEmulator extends HttpEmulator {
  readonly clock: Clock;
  readonly control: GcpEmulatorControl;
}

const PATH = /^\/compute\/v1\/projects\/([^/]+)\/(.+)$/;
const PRICES = /^\/v1\/(services\/.+)$/;
const VERSION = /^\d{4}-\d{2}-\d{2}$/;

/**
 * @example
 * ```ts
 * import { gcp } from "@slipway/provider-gcp";
 * import { EMULATOR_PROJECT, EMULATOR_TOKEN } from "@slipway/provider-gcp/emulator";
 *
 * const { fetch, clock } = gcpEmulator();
 * const accessToken = async () => EMULATOR_TOKEN;
 * const cloud = gcp({ owner: "me", project: EMULATOR_PROJECT, accessToken, runtime: { fetch, clock } });
 * await cloud.list(); // => []
 * ```
 */
export function gcpEmulator(settings: GcpEmulatorSettings = {}): GcpEmulator {
  const clock = settings.clock ?? simulatedClock();
  const all = resolved(settings);
  const world = newWorld(all, clock);
  const faults = faultScript(all.seed);
  const pass = throttle(world);
  const requests: EmulatedRequest[] = [];

  async function recorded(request: Request): Promise<HttpAnswer | HttpBreak> {
    const url = new URL(request.url);
    const prices = PRICES.exec(url.pathname)?.[1];
    const [, project = "", rest = ""] =
      prices === undefined ? (PATH.exec(url.pathname) ?? []) : ["", all.project, prices];
    const route = ROUTES.find((one) => one.method === request.method && one.path.test(rest));
    const answer = await answered(request, route, project, rest);
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
    project: string,
    rest: string,
  ): Promise<HttpAnswer | HttpBreak> {
    const authorization = request.headers.get("authorization") ?? "";
    if (!all.tokens.some((token) => authorization === `Bearer ${token}`)) {
      return failed(401, "authError", "Request had invalid authentication credentials.");
    }
    if (route === undefined) return failed(404, "notFound", "The requested URL was not found on this server.");
    const late = pass(route.group);
    if (late !== null) return late;
    const names = route.serves === undefined ? [route.operation] : [route.operation, route.serves];
    const fault = faults.take(names);
    const fixture = fault === undefined ? null : fixtureFor(fault);
    return await answerWithFault({ fault, fixture, clock }, request.signal, () =>
      performed(request, route, project, rest, fault),
    );
  }

  async function performed(
    request: Request,
    route: Route,
    project: string,
    rest: string,
    fault: Fault | undefined,
  ): Promise<HttpAnswer> {
    const lag = fault?.when === "stale-read" ? Math.max(all.listLagMs, 1) : all.listLagMs;
    const { zone = "", region = "", name = "" } = route.path.exec(rest)?.groups ?? {};
    const query = new URL(request.url).searchParams;
    try {
      if (project !== all.project) {
        refuse(403, "forbidden", `Required 'compute.projects.get' permission for 'projects/${project}'`);
      }
      if (zone !== "" && !isZone(zone)) refuseMissing(`projects/${project}/zones/${zone}`);
      return await route.handler(world, {
        zone,
        region,
        name: decodeURIComponent(name),
        body: request.method === "POST" && !/\/(wait|suspend|resume)$/.test(rest) ? await bodyOf(request) : undefined,
        query,
        seenAt: clock.now() - lag,
        isVersioned: versionOf(request, query) !== null,
        scopes: EMULATED_ZONES,
        rowOfOperation: fault === undefined ? undefined : rowInOperation(fault),
        signal: request.signal,
      });
    } catch (error) {
      if (error instanceof HttpRefusal) return error.answer;
      throw error;
    }
  }

  return {
    clock,
    control: newControl(world, faults, requests),
    ...httpEmulator({ clock, latencyMs: all.latencyMs, answer: recorded }),
  };
}

/** Of the header or the parameter, and never of both. */
function versionOf(request: Request, query: URLSearchParams): string | null {
  const [header, parameter] = [request.headers.get("x-goog-api-version"), query.get("$apiVersion")];
  if (header !== null && parameter !== null) refuse(400, "badRequest", "The version is given twice.");
  const version = header ?? parameter;
  if (version !== null && !VERSION.test(version)) refuse(400, "badRequest", `'${version}' is no version.`);
  return version;
}

async function bodyOf(request: Request): Promise<unknown> {
  try {
    return JSON.parse(await request.text());
  } catch {
    return refuse(400, "parseError", "Parse Error");
  }
}
