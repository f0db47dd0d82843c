import { type Operation, type Pacing, runtimeDefaults, type Schema } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { bearerToken, type HttpAnswer, type HttpClient, httpClient } from "@slipway/provider-kit/http";
import { limits } from "@slipway/provider-kit/limits";
import { meaningOf, PROVIDER, refusal } from "./errors.ts";
import { DEFAULT_BASE_URL, type RunpodOptions, type RunpodSettings } from "./options.ts";
import { VERSION } from "./package-version.ts";
import {
  type Cloud,
  type CreateBody,
  cpusAnswer,
  dataCentersAnswer,
  gpusAnswer,
  networkVolumeAnswer,
  networkVolumesAnswer,
  nothingAnswer,
  podAnswer,
  podsAnswer,
  sshKeysAnswer,
  type WireCpuType,
  type WireDataCenter,
  type WireGpuType,
  type WireNetworkVolume,
  type WirePage,
  type WirePod,
  wireProblem,
} from "./wire.ts";

/** The only thing that speaks to RunPod. Lists are whole: every page is read, or the call fails. */
export interface RunpodClient {
  readonly pods: (call: Call) => Promise<readonly WirePod[]>;
  /** One small page: proves address, key and right. */
  readonly ping: (call: Call) => Promise<void>;
  /** Null only if RunPod says that there is none. */
  readonly pod: (call: Call, id: string) => Promise<WirePod | null>;
  readonly create: (call: Call, body: CreateBody, secrets: readonly string[]) => Promise<WirePod>;
  readonly act: (call: Call, id: string, action: "start" | "stop") => Promise<WirePod>;
  /** `gone` only if RunPod says that there is none. */
  readonly remove: (call: Call, id: string) => Promise<Removed>;
  readonly gpuTypes: (call: Call, cloud: Cloud, count: number) => Promise<readonly WireGpuType[]>;
  readonly cpuTypes: (call: Call) => Promise<readonly WireCpuType[]>;
  readonly dataCenters: (call: Call) => Promise<readonly WireDataCenter[]>;
  /** Those that the account has registered: pods with `startSsh` get them. */
  readonly sshKeys: (call: Call) => Promise<readonly string[]>;
  readonly volumes: (call: Call) => Promise<readonly WireNetworkVolume[]>;
  readonly createVolume: (
    call: Call,
    body: { readonly name: string; readonly size: number; readonly dataCenter: string },
  ) => Promise<WireNetworkVolume>;
  readonly removeVolume: (call: Call, id: string) => Promise<Removed>;
}

export type Removed = "accepted" | "gone";

// A create is slow at times, and whoever gives up on it does not know what became of it.
export const CREATE_TIMEOUT_MS = 120_000;
const PAGE_SIZE = "100";
const MOST_PAGES = 1_000;
const MOST_READINGS = 8;

export function runpodClient(options: RunpodSettings): RunpodClient {
  const { apiKey, baseUrl = DEFAULT_BASE_URL, runtime } = options;
  const credential = bearerToken(apiKey);
  const http = httpClient({
    provider: PROVIDER,
    baseUrl,
    ...credential,
    // Cloudflare refuses clients without a name of their own.
    userAgent: `slipway-provider-runpod/${VERSION}`,
    meaningOf,
    isNotFound,
    runtime,
    limits: runtime?.limits ?? ownLimits(options),
  });
  const whole = pages(http);
  const path = (collection: string, id: string): string => `${collection}/${encodeURIComponent(id)}`;
  const removed = async (call: Call, thing: string): Promise<Removed> => {
    const answer = await http.find({ ...call, method: "DELETE", path: thing, answer: nothingAnswer });
    return answer === null ? "gone" : "accepted";
  };

  return {
    pods: (call) => whole(call, "pods", {}, podsAnswer),
    ping: async (call) => {
      await http.call({ ...call, method: "GET", path: "pods", query: { limit: "1" }, answer: podsAnswer });
    },
    pod: (call, id) => http.find({ ...call, method: "GET", path: path("pods", id), answer: podAnswer }),
    create: (call, body, secrets) =>
      http.call({
        ...call,
        method: "POST",
        path: "pods",
        body,
        answer: podAnswer,
        timeoutMs: CREATE_TIMEOUT_MS,
        secrets,
      }),
    act: (call, id, action) =>
      http.call({ ...call, method: "POST", path: `${path("pods", id)}/action`, body: { action }, answer: podAnswer }),
    remove: (call, id) => removed(call, path("pods", id)),
    gpuTypes: (call, cloud, count) =>
      whole(call, "catalog/gpus", { include: "AVAILABILITY", product: "POD", cloud, count: String(count) }, gpusAnswer),
    cpuTypes: (call) => whole(call, "catalog/cpus", {}, cpusAnswer),
    dataCenters: (call) =>
      whole(call, "catalog/datacenters", { include: "GPU_AVAILABILITY,CPU_AVAILABILITY" }, dataCentersAnswer),
    sshKeys: async (call) =>
      (await http.call({ ...call, method: "GET", path: "account/ssh-keys", answer: sshKeysAnswer })).keys,
    volumes: (call) => whole(call, "network-volumes", {}, networkVolumesAnswer),
    createVolume: (call, body) =>
      http.call({ ...call, method: "POST", path: "network-volumes", body, answer: networkVolumeAnswer }),
    removeVolume: (call, id) => removed(call, path("network-volumes", id)),
  };
}

const SAYS_NOT_FOUND = /\b(was )?not found\b|\bdoes not exist\b/i;
const ABOUT_THE_ROUTE = /\b(path|route|url|endpoint|method|page)\b/i;

/** RunPod's own 404: a problem document about a thing. A gateway, and an address without `/v2`, answer otherwise. */
function isNotFound({ status, headers, json }: HttpAnswer): boolean {
  if (status !== 404 || !(headers.get("content-type") ?? "").startsWith("application/problem+json")) return false;
  const { detail = "" } = wireProblem(json) ?? {};
  return SAYS_NOT_FOUND.test(detail) && !ABOUT_THE_ROUTE.test(detail);
}

/**
 * Reads a listing to its end. Where RunPod sends no `pagination` the one answer is all. Where pages follow, it is read again
 * until two readings agree: if a cursor counts, what ends between two pages moves another thing past the reader, and is
 * then missing from the next reading.
 */
function pages(http: HttpClient) {
  return async <T extends { readonly id: string }>(
    call: Call,
    path: string,
    query: Readonly<Record<string, string>>,
    answer: Schema<WirePage<T>>,
  ): Promise<readonly T[]> => {
    let before: ReadonlyMap<string, T> | undefined;
    for (let readings = 0; readings < MOST_READINGS; readings += 1) {
      const { found, isOnePage } = await reading(http, call, path, query, answer);
      if (isOnePage || (before !== undefined && isSame(before, found))) return [...found.values()];
      before = found;
    }
    throw refusal(
      "UNAVAILABLE",
      call.operation,
      `the listing of ${path} changed at each of ${MOST_READINGS} readings`,
      {
        hint: "A shorter answer would hide pods that cost money: call again when less is starting and ending.",
      },
    );
  };
}

function isSame(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): boolean {
  return before.size === after.size && [...after.keys()].every((id) => before.has(id));
}

async function reading<T extends { readonly id: string }>(
  http: HttpClient,
  call: Call,
  path: string,
  query: Readonly<Record<string, string>>,
  answer: Schema<WirePage<T>>,
): Promise<{ readonly found: ReadonlyMap<string, T>; readonly isOnePage: boolean }> {
  const found = new Map<string, T>();
  const seen = new Set<string>();
  const limit = path.startsWith("catalog/") ? {} : { limit: PAGE_SIZE };
  for (let cursor: string | undefined; ; ) {
    const page = await http.call<WirePage<T>>({
      ...call,
      method: "GET",
      path,
      query: { ...query, ...limit, cursor },
      answer,
    });
    // Should a thing move from page to page meanwhile, it is still one.
    for (const item of page.items) found.set(item.id, item);
    if (!page.more) return { found, isOnePage: seen.size === 0 };
    cursor = page.nextCursor;
    if (cursor === undefined || seen.has(cursor) || seen.size >= MOST_PAGES) throw endless(call.operation, path);
    seen.add(cursor);
  }
}

function endless(operation: Operation, path: string): Error {
  return refusal("INTERNAL", operation, `the listing of ${path} says that there is more, and does not lead there`, {
    hint: "A shorter answer would hide pods that cost money: if it stays so, the API has changed.",
  });
}

/**
 * Half of each window at once and the other half spread over it: however RunPod's fixed windows lie, no more falls into
 * one than it allows.
 */
function ownLimits(options: RunpodOptions): Pacing {
  const { clock, onEvent } = runtimeDefaults(options.runtime);
  const { requestsPerMinute = 60, requestsPerHour = 3_000, requestsPerDay = 50_000 } = options;
  const windows = [
    { requests: requestsPerMinute, seconds: 60 },
    { requests: requestsPerHour, seconds: 3_600 },
    { requests: requestsPerDay, seconds: 86_400 },
  ];
  return limits({
    clock,
    onEvent,
    provider: PROVIDER,
    buckets: windows.map(({ requests, seconds }) => ({
      operation: "*",
      capacity: Math.floor(requests / 2),
      refillPerSecond: requests / 2 / seconds,
    })),
  });
}
