import { isProviderError, ProviderError, runtimeDefaults, type Schema } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { type HttpCall, httpClient } from "@slipway/provider-kit/http";
import { tokens } from "./credentials.ts";
import { meaningOf } from "./errors.ts";
import type { InsertBody } from "./insert-body.ts";
import { DEFAULT_BASE_URL, type GcpOptions } from "./options.ts";
import { pacingOf } from "./pacing.ts";
import { PROVIDER, refusal, regionOf } from "./remote.ts";
import {
  aggregatedAnswer,
  capacityHistoryAnswer,
  instanceAnswer,
  instancesAnswer,
  operationAnswer,
  operationsAnswer,
  type WireCapacityHistory,
  type WireInstance,
  type WireOperation,
  type WirePage,
  type WireZone,
  zonesAnswer,
} from "./wire.ts";

/** The date of the API whose document judges requests and answers. Without it lists mean something else. */
export const API_VERSION = "2026-11-01";

/** The only thing that speaks to Google. Lists are whole, or they throw. */
export interface GcpClient {
  /**
   * In pages. One zone is read by itself. Of several, all zones of the project are read at once; an unreachable one among
   * `zones` is read by itself then, and if that fails it is an error of its region.
   */
  readonly list: (call: Call, filter: string, zones: readonly string[]) => AsyncGenerator<readonly WireInstance[]>;
  /** By name or by number. Null only if Google says that there is none. */
  readonly instance: (call: Call, zone: string, nameOrNumber: string) => Promise<WireInstance | null>;
  readonly insert: (
    call: Call,
    zone: string,
    body: InsertBody,
    options: { readonly requestId: string; readonly secrets: readonly string[] },
  ) => Promise<WireOperation>;
  /** Sent once: a 403 may mean that another deletion is under way. */
  readonly remove: (call: Call, zone: string, nameOrNumber: string, requestId: string) => Promise<WireOperation>;
  readonly operation: (call: Call, zone: string, name: string) => Promise<WireOperation>;
  /** The operation when it is DONE, which is not to say that it succeeded. */
  readonly finished: (call: Call, zone: string, operation: WireOperation) => Promise<WireOperation>;
  /** What is under way in a zone, whoever began it. */
  readonly running: (call: Call, zone: string) => Promise<readonly WireOperation[]>;
  readonly zones: (call: Call) => Promise<readonly WireZone[]>;
  readonly spotPrices: (call: Call, region: string, spec: string) => Promise<WireCapacityHistory>;
}

// `wait` answers at the end of an operation, or after about two minutes.
const WAIT_TIMEOUT_MS = 150_000;
/** So long an operation is waited for, and so late what a request began may show. */
export const LONGEST_OPERATION_MS = 900_000;
const POLL_MS = 2_000;
// So often a new operation may be unknown to the server that is asked.
const MOST_UNKNOWN = 10;
const PAGE = "500";
const MOST_PAGES = 10_000;

export function gcpClient(options: GcpOptions): GcpClient {
  const { baseUrl = DEFAULT_BASE_URL, project, runtime } = options;
  const { clock } = runtimeDefaults(runtime);
  const source = tokens(options, clock);
  const common = {
    provider: PROVIDER,
    baseUrl: baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`,
    account: project,
    credentials: () => ({ authorization: `Bearer ${source.current()}`, "x-goog-api-version": API_VERSION }),
    secrets: () => [source.current()].filter((token) => token !== ""),
    userAgent: "slipway-provider-gcp/0.1 (+https://www.npmjs.com/package/@slipway/provider-gcp)",
    meaningOf,
    runtime,
    limits: pacingOf(options),
  };
  const patient = httpClient(common);
  const once = httpClient({ ...common, attempts: 1 });
  const send = async <T>(call: HttpCall<T>, http = patient): Promise<T> => {
    await source.ready(call);
    try {
      return await http.call(call);
    } catch (error) {
      if (!isProviderError(error, "AUTH_ERROR") || error.native?.status !== 401) throw error;
      // The token may have been taken back before its hour was over.
      source.forget();
      await source.ready(call);
      return await http.call(call);
    }
  };
  const inZone = (zone: string, rest: string): string => `projects/${project}/zones/${zone}/${rest}`;
  const read = <T>(
    call: Call,
    path: string,
    answer: Schema<T>,
    query: Readonly<Record<string, string | undefined>> = {},
  ) => send({ ...call, method: "GET", path, answer, query, bucket: "read" });

  async function* pages<P extends { readonly nextPageToken?: string | undefined }>(
    call: Call,
    path: string,
    answer: Schema<P>,
    query: Readonly<Record<string, string>>,
  ): AsyncGenerator<P> {
    const seen = new Set<string>();
    for (let pageToken: string | undefined; ; ) {
      const page = await send({
        ...call,
        method: "GET",
        path,
        answer,
        query: { ...query, maxResults: PAGE, pageToken },
        bucket: "list",
      });
      yield page;
      pageToken = page.nextPageToken;
      if (pageToken === undefined || pageToken === "") return;
      if (seen.has(pageToken) || seen.size >= MOST_PAGES) throw endless(call, path);
      seen.add(pageToken);
    }
  }

  /** All items; a warning other than that a page is empty makes the list incomplete. */
  async function whole<T>(
    call: Call,
    path: string,
    answer: Schema<WirePage<T>>,
    query: Readonly<Record<string, string>> = {},
  ): Promise<readonly T[]> {
    const found: T[] = [];
    for await (const page of pages(call, path, answer, query)) {
      const code = page.warning?.code;
      if (code !== undefined && code !== EMPTY) throw incomplete(call, path, code);
      found.push(...(page.items ?? []));
    }
    return found;
  }

  const ofZone = (call: Call, filter: string, zone: string): Promise<readonly WireInstance[]> =>
    whole(call, inZone(zone, "instances"), instancesAnswer, { filter }).catch((error: unknown) => {
      throw ofRegion(error, regionOf(zone));
    });

  return {
    list: async function* (call, filter, zones) {
      const [only] = zones;
      if (only !== undefined && zones.length === 1) {
        yield await ofZone(call, filter, only);
        return;
      }
      const unreachable = new Set<string>();
      for await (const page of pages(call, `projects/${project}/aggregated/instances`, aggregatedAnswer, { filter })) {
        const codes = [...Object.entries(page.items ?? {}), ["", page] as const];
        for (const [scope, { warning }] of codes) {
          const code = warning?.code;
          if (code === undefined || code === EMPTY) continue;
          if (code !== UNREACHABLE) throw incomplete(call, scope, code);
          if (scope !== "") unreachable.add(lastPart(scope));
        }
        for (const url of page.unreachables ?? []) unreachable.add(lastPart(url));
        yield Object.values(page.items ?? {}).flatMap(({ instances = [] }) => instances);
      }
      for (const zone of zones) {
        // A region may be named as a whole.
        if (!unreachable.has(zone) && !unreachable.has(regionOf(zone))) continue;
        yield await ofZone(call, filter, zone);
      }
    },
    instance: async (call, zone, nameOrNumber) => {
      try {
        return await read(call, inZone(zone, `instances/${nameOrNumber}`), instanceAnswer);
      } catch (error) {
        if (isNotThere(error)) return null;
        throw error;
      }
    },
    insert: (call, zone, body, { requestId, secrets }) =>
      send({
        ...call,
        method: "POST",
        path: inZone(zone, "instances"),
        query: { requestId },
        body,
        answer: operationAnswer,
        bucket: "write",
        secrets,
      }),
    remove: (call, zone, nameOrNumber, requestId) =>
      send(
        {
          ...call,
          method: "DELETE",
          path: inZone(zone, `instances/${nameOrNumber}`),
          query: { requestId },
          answer: operationAnswer,
          bucket: "write",
        },
        once,
      ),
    operation: (call, zone, name) => read(call, inZone(zone, `operations/${name}`), operationAnswer),
    finished: async (call, zone, operation) => {
      const until = clock.now() + LONGEST_OPERATION_MS;
      for (let latest = operation, unknown = 0; ; ) {
        if (latest.status === "DONE") return latest;
        if (clock.now() >= until) throw endlessOperation(call, latest);
        const began = clock.now();
        try {
          const path = inZone(zone, `operations/${operation.name}/wait`);
          const more = { answer: operationAnswer, bucket: "operation", writes: false, timeoutMs: WAIT_TIMEOUT_MS };
          latest = await send({ ...call, method: "POST", path, ...more });
          unknown = 0;
        } catch (error) {
          // A server that has not heard of it yet says nothing of what it does.
          if (!isNotThere(error) || (unknown += 1) > MOST_UNKNOWN) throw error;
        }
        // `wait` may answer at once: then the next one is not sent at once.
        if (latest.status !== "DONE" && clock.now() - began < POLL_MS) await clock.sleep(POLL_MS, call.signal);
      }
    },
    running: async (call, zone) => {
      const listed = await whole(call, inZone(zone, "operations"), operationsAnswer, { filter: 'status != "DONE"' });
      return listed.filter(({ status }) => status !== "DONE");
    },
    zones: (call) => whole(call, `projects/${project}/zones`, zonesAnswer),
    spotPrices: (call, region, spec) =>
      send({
        ...call,
        method: "POST",
        path: `projects/${project}/regions/${region}/advice/capacityHistory`,
        body: {
          instanceProperties: { machineType: spec, scheduling: { provisioningModel: "SPOT" } },
          types: ["PRICE"],
        },
        answer: capacityHistoryAnswer,
        bucket: "read",
        writes: false,
      }),
  };
}

const EMPTY = "NO_RESULTS_ON_PAGE";
const UNREACHABLE = "UNREACHABLE";

/** Google's own words that the thing is not there. Any other 404, as of a wrong address or a proxy, says nothing of it. */
export function isNotThere(error: unknown): boolean {
  return isProviderError(error, "NOT_FOUND") && error.native?.status === 404 && error.native.code === "notFound";
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function incomplete({ operation }: Call, where: string, code: string): ProviderError {
  return refusal("UNAVAILABLE", operation, `the listing of ${where || "all zones"} is not complete: ${code}`, {
    scope: "region",
    native: { code },
    hint: "A shorter list would hide instances that cost money.",
  });
}

/** The same failure, of one region. */
function ofRegion(error: unknown, region: string): unknown {
  if (!isProviderError(error) || error.code === "CANCELLED" || error.code === "TIMEOUT") return error;
  const { code, operation, native, retryAfterMs, effect } = error;
  return new ProviderError(code, {
    message: `region ${region} cannot be read: ${error.message}`,
    provider: PROVIDER,
    operation,
    effect,
    scope: "region",
    native,
    retryAfterMs,
    cause: error,
  });
}

function endless({ operation }: Call, path: string): ProviderError {
  return refusal("INTERNAL", operation, `the listing of ${path} says that there is more, and does not lead there`);
}

function endlessOperation({ operation }: Call, { name, operationType = "operation" }: WireOperation): ProviderError {
  const minutes = LONGEST_OPERATION_MS / 60_000;
  return refusal("TIMEOUT", operation, `the ${operationType} ${name} has not ended within ${minutes} minutes`);
}
