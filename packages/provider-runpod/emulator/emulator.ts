import type { Clock } from "@slipway/core";
import {
  answerWithFault,
  type FaultScript,
  faultScript,
  type HttpAnswer,
  type HttpBreak,
  type HttpEmulator,
  HttpRefusal,
  httpEmulator,
  simulatedClock,
} from "@slipway/provider-kit/emulator";
import { failureOf, fixtureFor, Problem } from "./problem.ts";
import { type CountRequest, rateWindows } from "./rate-windows.ts";
import { type Answer, type Asked, ROUTES } from "./routes.ts";
import { DEFAULT_RATES, type EmulatedStock, type RunpodEmulatorSettings } from "./settings.ts";
import { type ClosedPool, type EmulatedPod, type EmulatedVolume, World } from "./world.ts";

/** One request as it arrived, without its key. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: unknown;
  readonly userAgent: string | null;
}

/** RunPod's REST v2, as far as the provider uses it, and what a test does to it. */
export interface RunpodEmulator extends HttpEmulator {
  readonly clock: Clock;
  /** By contract method, or by operation of the wire as `pods.create`; `row` is an id of `runpodErrorTable`. */
  readonly faults: FaultScript;
  /** Rises with every write that changed something. */
  readonly changes: number;
  /** At once and without lag; those that are gone too. */
  readonly pods: () => readonly EmulatedPod[];
  readonly volumes: () => readonly EmulatedVolume[];
  readonly requests: readonly SeenRequest[];
  readonly setStock: (stock: EmulatedStock) => void;
  readonly closePool: (pool: ClosedPool) => void;
  /** What is registered from now on. A pod keeps those of its creation. */
  readonly setSshKeys: (keys: readonly string[]) => void;
  readonly setBalance: (usd: number) => void;
  readonly setSpendLimit: (usdPerHour: number) => void;
  /** Puts a status in the place of the clock's: EXITED, ERROR, TERMINATED, or an unknown word. */
  readonly setStatus: (podId: string, status: string) => void;
  /** A pod ends at once, without a request. */
  readonly setGone: (podId: string) => void;
  /** A pod that Slipway has not made. Answers its id. */
  readonly addUnmanaged: (name?: string) => string;
}

const MAX_BODY_BYTES = 102_400;

/**
 * @example
 * ```ts
 * import { runpod } from "@slipway/provider-runpod";
 *
 * const { fetch, clock } = runpodEmulator();
 * const cloud = runpod({ owner: "me", apiKey: "any-key", runtime: { fetch, clock } });
 * await cloud.list(); // => []
 * ```
 */
export function runpodEmulator(settings: RunpodEmulatorSettings = {}): RunpodEmulator {
  const clock = settings.clock ?? simulatedClock();
  const world = new World(settings, clock);
  const count = rateWindows(settings.rates === undefined ? DEFAULT_RATES : settings.rates, clock);
  const faults = faultScript(settings.seed ?? 1);
  const requests: SeenRequest[] = [];
  return {
    clock,
    faults,
    ...httpEmulator({
      clock,
      latencyMs: settings.latencyMs ?? 0,
      answer: (request) => answered(request, { world, settings, count, faults, requests }),
    }),
    get changes() {
      return world.changes;
    },
    pods: () => [...world.pods.values()],
    volumes: () => [...world.volumes.values()],
    requests,
    setStock: (stock) => void world.stock.push(stock),
    closePool: (pool) => void world.closed.push(pool),
    setSshKeys: (keys) => {
      world.sshKeys = [...keys];
    },
    setBalance: (usd) => {
      world.balanceUsd = usd;
    },
    setSpendLimit: (usdPerHour) => {
      world.spendLimitUsdPerHour = usdPerHour;
    },
    setStatus: (podId, status) => {
      const pod = world.pods.get(podId);
      if (pod === undefined) throw new TypeError(`there is no pod ${podId}`);
      pod.fixed = status;
    },
    setGone: (podId) => {
      const pod = world.pods.get(podId);
      if (pod !== undefined && pod.deletedAt === null) world.remove(pod);
    },
    addUnmanaged: (name = "by-hand") => {
      const cpu = { id: world.cpus[0]?.id ?? "", vcpuCount: 2 };
      return world.create({ name, image: "ubuntu:24.04", cpu }).id;
    },
  };
}

interface Inside {
  readonly world: World;
  readonly settings: RunpodEmulatorSettings;
  readonly count: CountRequest;
  readonly faults: FaultScript;
  readonly requests: SeenRequest[];
}

async function answered(request: Request, inside: Inside): Promise<HttpAnswer | HttpBreak> {
  const requestId = `req-${inside.world.id(20)}`;
  const counted: Record<string, string> = {};
  const answer = await routed(request, inside, counted).catch((error: unknown) => {
    if (error instanceof HttpRefusal) return error.answer;
    throw error;
  });
  if (typeof answer === "string") return answer;
  return { ...answer, headers: { ...counted, ...answer.headers, "x-request-id": requestId } };
}

async function routed(
  request: Request,
  inside: Inside,
  counted: Record<string, string>,
): Promise<HttpAnswer | HttpBreak> {
  const { world, settings, faults, requests, count } = inside;
  const url = new URL(request.url);
  const text = await request.text();
  const userAgent = request.headers.get("user-agent");
  requests.push({
    method: request.method,
    path: url.pathname,
    query: url.search,
    body: quietly(() => JSON.parse(text) as unknown),
    userAgent,
  });
  if (/^\/v1(\/|$)/.test(url.pathname)) throw new Problem(410, "this version of the API has been retired");
  if (userAgent === null || userAgent === "") return failureOf("blocked-by-proxy", undefined);
  // Before anything looks at the key.
  if (Buffer.byteLength(text) > MAX_BODY_BYTES) throw new Problem(413, `request body exceeds ${MAX_BODY_BYTES} bytes`);
  Object.assign(counted, count(keyOf(request, settings)));

  const routes = ROUTES.filter(({ path }) => path.test(url.pathname));
  const route = routes.find(({ method }) => method === request.method);
  if (route === undefined) {
    if (routes.length === 0) throw new Problem(404, "path not found");
    throw new Problem(405, "method not allowed", { headers: { allow: routes.map(({ method }) => method).join(", ") } });
  }
  const body = (): unknown => parsed(text);
  const action = quietly(() => (JSON.parse(text) as { readonly action?: unknown }).action);
  const names = route.names({ query: url.searchParams, action: typeof action === "string" ? action : "" });
  const fault = faults.take(names, "before", "after", "reply-lost", "delayed");
  const fixture = fault === undefined ? null : fixtureFor(fault);
  const id = decodeURIComponent(route.path.exec(url.pathname)?.[1] ?? "");
  const asked: Asked = { world, settings, id, query: url.searchParams, body };
  return await answerWithFault({ fault, fixture, clock: world.clock }, request.signal, () =>
    toHttpAnswer(route.answer(asked)),
  );
}

function toHttpAnswer({ status, body, events }: Answer): HttpAnswer {
  if (events !== undefined) {
    const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    return { status, headers: { "content-type": "text/event-stream" }, body: text };
  }
  if (body === undefined) return { status, headers: {}, body: "" };
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Throws 401 for a key that is missing or not let in. */
function keyOf(request: Request, { apiKeys }: RunpodEmulatorSettings): string {
  const key = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (key === undefined) throw new Problem(401, "missing bearer token");
  if (apiKeys !== undefined && !apiKeys.includes(key)) throw new Problem(401, "invalid API key");
  return key;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "request body is not valid JSON");
  }
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
