import type { Clock } from "@slipway/core";
import { type FaultScript, faultScript, simulatedClock } from "@slipway/provider-kit/emulator";
import { failureOf, Problem } from "./problem.ts";
import { type CountRequest, rateWindows } from "./rate-windows.ts";
import { type Asked, ROUTES } from "./routes.ts";
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
export interface RunpodEmulator {
  /** Answers as RunPod does. A lost reply is `Response.error()`. */
  readonly handle: (request: Request) => Promise<Response>;
  /** The same as a `fetch`, for `runtime.fetch`: a lost reply rejects, an aborted request too. */
  readonly fetch: typeof globalThis.fetch;
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
  const handle = (request: Request): Promise<Response> =>
    answered(request, { world, settings, count, faults, requests });
  return {
    handle,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      request.signal.throwIfAborted();
      const response = await handle(request);
      if (response.type === "error") throw new TypeError("fetch failed", { cause: new Error("the connection broke") });
      return response;
    },
    clock,
    faults,
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

async function answered(request: Request, inside: Inside): Promise<Response> {
  const { world, settings } = inside;
  const { clock } = world;
  if ((settings.latencyMs ?? 0) > 0) await clock.sleep(settings.latencyMs ?? 0, request.signal);
  const requestId = `req-${world.id(20)}`;
  const headers: Record<string, string> = {};
  let response: Response;
  try {
    response = await routed(request, inside, headers);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    response = error.toResponse();
  }
  if (response.type === "error") return response;
  for (const [name, value] of Object.entries(headers))
    if (!response.headers.has(name)) response.headers.set(name, value);
  response.headers.set("x-request-id", requestId);
  return response;
}

async function routed(request: Request, inside: Inside, headers: Record<string, string>): Promise<Response> {
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
  Object.assign(headers, count(keyOf(request, settings)));

  const routes = ROUTES.filter(({ path }) => path.test(url.pathname));
  const route = routes.find(({ method }) => method === request.method);
  if (route === undefined) {
    if (routes.length === 0) throw new Problem(404, "path not found");
    throw new Problem(405, "method not allowed", { headers: { allow: routes.map(({ method }) => method).join(", ") } });
  }
  const body = (): unknown => parsed(text);
  const action = quietly(() => (JSON.parse(text) as { readonly action?: unknown }).action);
  const names = route.names({ query: url.searchParams, action: typeof action === "string" ? action : "" });
  const before = faults.take(names, "before");
  if (before !== undefined) return failureOf(before.row, before.code);

  const id = decodeURIComponent(route.path.exec(url.pathname)?.[1] ?? "");
  const asked: Asked = { world, settings, id, query: url.searchParams, body };
  const answer = route.answer(asked);
  const after = faults.take(names, "after", "reply-lost", "delayed");
  if (after?.when === "reply-lost") return Response.error();
  if (after?.when === "after") return failureOf(after.row, after.code);
  if (after?.when === "delayed") await world.clock.sleep(after.delayMs ?? 1_000, request.signal);
  if (answer.events !== undefined) {
    const events = answer.events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    return new Response(events, { status: answer.status, headers: { "content-type": "text/event-stream" } });
  }
  if (answer.body === undefined) return new Response(null, { status: answer.status });
  return new Response(JSON.stringify(answer.body), {
    status: answer.status,
    headers: { "content-type": "application/json" },
  });
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
