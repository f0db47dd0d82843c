import { isProviderError, type ProviderError, runtimeDefaults, type Schema } from "@slipway/core";
import { type Call, singleFlight } from "@slipway/provider-kit/driver";
import { type HttpCall, httpClient } from "@slipway/provider-kit/http";
import { tokens } from "./credentials.ts";
import { meaningOf } from "./errors.ts";
import type { InsertBody } from "./insert-body.ts";
import { listing } from "./listing.ts";
import { DEFAULT_BASE_URL, type GcpOptions } from "./options.ts";
import { pacingOf } from "./pacing.ts";
import { VERSION } from "./package-version.ts";
import { PROVIDER, refusal } from "./remote.ts";
import {
  DISKS,
  diskAnswer,
  guestAttributesAnswer,
  INSTANCES,
  imageAnswer,
  imagesAnswer,
  instanceAnswer,
  operationAnswer,
  operationsAnswer,
  type WireDisk,
  type WireImage,
  type WireInstance,
  type WireOperation,
  type WireZone,
  zonesAnswer,
} from "./wire.ts";
import {
  capacityHistoryAnswer,
  machineTypesAnswer,
  skusAnswer,
  type WireCapacityHistory,
  type WireMachineType,
  type WireSku,
} from "./wire-prices.ts";

/** The date of the API whose document judges requests and answers. Without it lists mean something else. */
export const API_VERSION = "2026-11-01";

/** A disk that is asked for. */
export interface DiskBody {
  readonly name: string;
  readonly sizeGb: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A machine image that is asked for. */
export interface ImageBody {
  readonly name: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The only thing that speaks to Google. Lists are whole, or they throw. */
export interface GcpClient {
  /** Whole, or it throws: see `Listing`. */
  readonly list: (call: Call, filter: string, zones: readonly string[]) => AsyncGenerator<readonly WireInstance[]>;
  /** By name or by number. Null only if Google says that there is none. */
  readonly instance: (call: Call, zone: string, nameOrNumber: string) => Promise<WireInstance | null>;
  /** What a guest has written under a path; null where it has written nothing. */
  readonly guestAttribute: (call: Call, zone: string, number: string, path: string) => Promise<string | null>;
  readonly insert: (
    call: Call,
    zone: string,
    body: InsertBody,
    options: {
      readonly requestId: string;
      readonly sourceMachineImage?: string | undefined;
      readonly secrets: readonly string[];
    },
  ) => Promise<WireOperation>;
  /** Sent once: a 403 may mean that another deletion is under way. */
  readonly remove: (call: Call, zone: string, nameOrNumber: string, requestId: string) => Promise<WireOperation>;
  readonly change: (
    call: Call,
    zone: string,
    number: string,
    action: "suspend" | "resume",
    requestId: string,
  ) => Promise<WireOperation>;
  readonly operation: (call: Call, zone: string, name: string) => Promise<WireOperation>;
  /** The operation when it is DONE, which is not to say that it succeeded. */
  readonly finished: (call: Call, zone: string, operation: WireOperation) => Promise<WireOperation>;
  /** What is under way in a zone, whoever began it. */
  readonly running: (call: Call, zone: string) => Promise<readonly WireOperation[]>;
  /** The same for many at once; it may have been asked a moment before the caller did. */
  readonly runningShared: (call: Call, zone: string) => Promise<readonly WireOperation[]>;
  /** Did Google itself take the instance back? */
  readonly isPreempted: (call: Call, zone: string, number: string) => Promise<boolean>;
  readonly zones: (call: Call) => Promise<readonly WireZone[]>;
  readonly disks: (call: Call, filter: string, zones: readonly string[]) => AsyncGenerator<readonly WireDisk[]>;
  readonly disk: (call: Call, zone: string, name: string) => Promise<WireDisk | null>;
  readonly insertDisk: (call: Call, zone: string, body: DiskBody, requestId: string) => Promise<WireOperation>;
  readonly removeDisk: (call: Call, zone: string, number: string, requestId: string) => Promise<WireOperation>;
  readonly image: (call: Call, name: string) => Promise<WireImage | null>;
  readonly images: (call: Call, filter: string) => Promise<readonly WireImage[]>;
  readonly insertImage: (call: Call, body: ImageBody, source: string, requestId: string) => Promise<WireOperation>;
  /** One that is gone is done. */
  readonly removeImage: (call: Call, number: string, requestId: string) => Promise<void>;
  readonly globalOperation: (call: Call, name: string) => Promise<WireOperation>;
  readonly machineTypes: (call: Call, zone: string) => Promise<readonly WireMachineType[]>;
  /** Google's whole price list of Compute Engine. */
  readonly skus: (call: Call) => Promise<readonly WireSku[]>;
  readonly spotPrices: (call: Call, region: string, spec: string) => Promise<WireCapacityHistory>;
}

// The price list is another API, and so it calls Compute Engine.
const PRICES_URL = "https://cloudbilling.googleapis.com/v1/";
const COMPUTE_ENGINE = "6F81-5844-456A";
// `wait` answers at the end of an operation, or after about two minutes.
const WAIT_TIMEOUT_MS = 150_000;
/** So long an operation is waited for, and so late what a request began may show. */
export const LONGEST_OPERATION_MS = 900_000;
const POLL_MS = 2_000;
// So often a new operation may be unknown to the server that is asked.
const MOST_UNKNOWN = 10;

export function gcpClient(options: GcpOptions): GcpClient {
  const { baseUrl = DEFAULT_BASE_URL, project, runtime } = options;
  const { clock } = runtimeDefaults(runtime);
  const source = tokens(options, clock);
  const common = {
    provider: PROVIDER,
    baseUrl,
    account: project,
    credentials: () => ({ authorization: `Bearer ${source.current()}`, "x-goog-api-version": API_VERSION }),
    secrets: () => [source.current()].filter((token) => token !== ""),
    userAgent: `slipway-provider-gcp/${VERSION}`,
    meaningOf,
    runtime,
    limits: pacingOf(options),
  };
  const patient = httpClient(common);
  const once = httpClient({ ...common, attempts: 1 });
  const prices = httpClient({
    ...common,
    baseUrl: options.baseUrl === undefined ? PRICES_URL : new URL("/v1/", options.baseUrl).href,
    credentials: () => ({ authorization: `Bearer ${source.current()}` }),
  });
  const send = async <T>(call: HttpCall<T>, http = patient): Promise<T> => {
    await source.ready(call);
    try {
      return await http.call(call);
    } catch (error) {
      if (!isProviderError(error, "AUTH_ERROR") || error.native?.status !== 401) throw error;
      // The token may have been revoked before its hour was over.
      source.forget();
      await source.ready(call);
      return await http.call(call);
    }
  };
  const IMAGES = `projects/${project}/global/machineImages`;
  const inZone = (zone: string, rest: string): string => `projects/${project}/zones/${zone}/${rest}`;
  const read = <T>(
    call: Call,
    path: string,
    answer: Schema<T>,
    query: Readonly<Record<string, string | undefined>> = {},
  ) => send({ ...call, method: "GET", path, answer, query, bucket: "read" });

  const write = (
    call: Call,
    method: "POST" | "DELETE",
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    body?: object,
    secrets: readonly string[] = [],
  ): Promise<WireOperation> => {
    const sent = { ...call, method, path, query, ...(body === undefined ? {} : { body }), secrets };
    return send({ ...sent, answer: operationAnswer, bucket: "write" });
  };

  const { whole, inZones } = listing(project, send);
  const { pages: pagesOfPrices } = listing(project, (call) => send(call, prices));
  const shared = singleFlight(PROVIDER);
  const running = async (call: Call, zone: string): Promise<readonly WireOperation[]> => {
    const listed = await whole(call, inZone(zone, "operations"), operationsAnswer, { filter: 'status != "DONE"' });
    return listed.filter(({ status }) => status !== "DONE");
  };

  return {
    list: (call, filter, zones) => inZones(call, INSTANCES, filter, zones),
    disks: (call, filter, zones) => inZones(call, DISKS, filter, zones),
    disk: (call, zone, name) => orNull(read(call, inZone(zone, `disks/${name}`), diskAnswer)),
    insertDisk: (call, zone, body, requestId) => write(call, "POST", inZone(zone, "disks"), { requestId }, body),
    removeDisk: (call, zone, number, requestId) =>
      write(call, "DELETE", inZone(zone, `disks/${number}`), { requestId }),
    instance: (call, zone, nameOrNumber) =>
      orNull(read(call, inZone(zone, `instances/${nameOrNumber}`), instanceAnswer)),
    guestAttribute: async (call, zone, number, queryPath) => {
      const path = inZone(zone, `instances/${number}/getGuestAttributes`);
      const found = await orNull(read(call, path, guestAttributesAnswer, { queryPath }));
      return found?.queryValue?.items?.[0]?.value ?? null;
    },
    insert: (call, zone, body, { secrets, ...query }) =>
      write(call, "POST", inZone(zone, "instances"), { ...query }, body, secrets),
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
    change: (call, zone, number, action, requestId) =>
      write(call, "POST", inZone(zone, `instances/${number}/${action}`), { requestId }),
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
    running,
    runningShared: (call, zone) => shared.read(zone, call, (signal) => running({ ...call, signal }, zone)),
    isPreempted: async (call, zone, number) => {
      const filter = `(operationType = "compute.instances.preempted") AND (targetId = ${number})`;
      const found = await whole(call, inZone(zone, "operations"), operationsAnswer, { filter });
      return found.some(({ targetId }) => targetId === number);
    },
    zones: (call) => whole(call, `projects/${project}/zones`, zonesAnswer),
    image: (call, name) => orNull(read(call, `${IMAGES}/${name}`, imageAnswer)),
    images: (call, filter) => whole(call, IMAGES, imagesAnswer, { filter }),
    insertImage: (call, body, sourceInstance, requestId) =>
      write(call, "POST", IMAGES, { sourceInstance, requestId }, body),
    removeImage: async (call, number, requestId) => {
      await orNull(write(call, "DELETE", `${IMAGES}/${number}`, { requestId }));
    },
    globalOperation: (call, name) => read(call, `projects/${project}/global/operations/${name}`, operationAnswer),
    machineTypes: (call, zone) => whole(call, inZone(zone, "machineTypes"), machineTypesAnswer),
    skus: async (call) => {
      const found: WireSku[] = [];
      const query = { maxResults: undefined, pageSize: "5000", currencyCode: "USD" };
      const path = `services/${COMPUTE_ENGINE}/skus`;
      for await (const { skus = [] } of pagesOfPrices(call, path, skusAnswer, query)) found.push(...skus);
      return found;
    },
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

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
}

/** Google's own words that the thing is not there. Any other 404, as of a wrong address or a proxy, says nothing of it. */
export function isNotThere(error: unknown): boolean {
  return isProviderError(error, "NOT_FOUND") && error.native?.status === 404 && error.native.code === "notFound";
}

function endlessOperation({ operation }: Call, { name, operationType = "operation" }: WireOperation): ProviderError {
  const minutes = LONGEST_OPERATION_MS / 60_000;
  return refusal("TIMEOUT", operation, `the ${operationType} ${name} has not ended within ${minutes} minutes`);
}
