import {
  type CallOptions,
  type Provider,
  type Region,
  runtimeDefaults,
  type Snapshot,
  type WhyNot,
} from "@slipway/core";
import {
  type Call,
  checkedOptions,
  type DriverParts,
  fromEnvironment,
  type ProviderParts,
  providerFromDriver,
} from "@slipway/provider-kit/driver";
import { CREATE_TIMEOUT_MS, runpodClient } from "./client.ts";
import type { RunpodContext } from "./context.ts";
import { runpodDriver } from "./driver.ts";
import { PROVIDER } from "./errors.ts";
import type { RunpodInstance } from "./instance.ts";
import { mountFor } from "./mounts.ts";
import { offeringsOf, type RunpodOffering } from "./offerings.ts";
import {
  configSchema,
  DEFAULT_DISK_GB,
  DEFAULT_IMAGE,
  ENVIRONMENT,
  type RunpodOptions,
  type RunpodSettings,
} from "./options.ts";
import { allPlaces } from "./placements.ts";
import { readiness } from "./readiness.ts";
import { checkMachine, type Prepared, type RunpodCapability, type RunpodSpawnOptions } from "./request.ts";
import { NO_KEYS_WARNING, sshKeys } from "./ssh-keys.ts";
import { MAX_USER_DATA_BYTES } from "./start-command.ts";
import { tcpProbe } from "./tcp-probe.ts";
import { runpodVolumes } from "./volumes.ts";
import type { SeenPod, WireNetworkVolume } from "./wire.ts";

export type RunpodProvider = Provider<RunpodInstance, Snapshot, RunpodCapability> & {
  /** As the contract's, and `cloud` chooses RunPod's pool. */
  readonly spawn: (options: RunpodSpawnOptions) => Promise<RunpodInstance>;
  /**
   * Where such a spawn could go now: the cheapest first, and of one price the best stock. For control's
   * `launch(provider, options, { placements })`, which tries the next one after a failure that made nothing. Empty if the
   * catalog shows no stock. It is no reservation: a place may refuse all the same.
   */
  readonly placements: (options: RunpodSpawnOptions) => Promise<readonly RunpodSpawnOptions[]>;
  /** What RunPod rents out now: every GPU and CPU type with its price and the data centres that show stock. */
  readonly listOfferings: (call?: CallOptions) => Promise<readonly RunpodOffering[]>;
  /**
   * Stops the container. Its disk is wiped, the address changes, and its GPU goes back to the host: another customer may
   * take it, and then `start` fails or gives a pod without one. What costs on is the storage. Prefer terminate.
   */
  readonly stop: (id: string, call?: CallOptions) => Promise<RunpodInstance>;
  /** Starts a stopped pod on the host that it is bound to; CAPACITY_ERROR where that has no free GPU. Look at `resources.gpus`. */
  readonly start: (id: string, call?: CallOptions) => Promise<RunpodInstance>;
};

const DEFAULT_READ_AFTER_WRITE_MS = 10_000;
const DEFAULT_PROBE_TIMEOUT_MS = 3_000;

/**
 * Pods on RunPod. Reads the variables that `register` reads. Throws AUTH_ERROR
 * where there is no key, and INVALID_SPEC for options that are wrong; it calls nothing.
 *
 * @example
 * ```ts
 * const cloud = runpod({ owner: "me", apiKey: "from your vault" });
 * const { id } = await cloud.spawn({ key: "worker-1", gpu: { type: "NVIDIA A40", count: 1 } });
 * await cloud.terminate(id);
 * ```
 */
export function runpod(options: RunpodOptions): RunpodProvider {
  return runpodParts(fromEnvironment(PROVIDER, ENVIRONMENT, options, process.env)).provider;
}

/** The provider and its hooks, over one client. */
export function runpodParts(options: RunpodSettings): ProviderParts<RunpodProvider> {
  const { owner, runtime, readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS } = options;
  const context = contextOf(options);
  const { client, dataCenters } = context;
  const { log } = runtimeDefaults(runtime);
  const keyCount = async (call: Call): Promise<number | undefined> =>
    context.readiness.probes ? await context.sshKeys.count(call) : undefined;
  return providerFromDriver<RunpodProvider, SeenPod, Prepared, WireNetworkVolume>({
    name: PROVIDER,
    owner,
    tier: "additional",
    capabilities: { gpu: true, multiRegion: true, persistentVolumes: true },
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: 64,
      nameMaxLength: 191,
      readAfterWriteMs,
      requestLifeMs: CREATE_TIMEOUT_MS,
    },
    whyNot: WHY_NOT,
    driver: runpodDriver(context),
    volumes: runpodVolumes(context),
    regions: dataCenters,
    ownOptions: ["cloud"],
    runtime: { ...runtime, clock: context.clock },
    methods: ({ lifeCycle, timed }) => ({
      listRegions: async ({ signal }: CallOptions = {}): Promise<readonly Region[]> => {
        if (dataCenters !== undefined) return dataCenters.map((id) => ({ id, name: id }));
        const centres = await client.dataCenters({ operation: "listRegions", signal });
        return centres.map(({ id, name }) => ({ id, name: name ?? id }));
      },
      placements: async (wanted) => {
        const call = { operation: "placements", signal: wanted.signal };
        lifeCycle.checkRegion(call, wanted.region);
        checkMachine(call.operation, wanted);
        return placements(context, call, wanted);
      },
      listOfferings: ({ signal } = {}) => offeringsOf(context, { operation: "listOfferings", signal }),
      stop: (id, given) => timed("stop", given, (call) => actOn(context, lifeCycle, call, id)),
      start: (id, given) => timed("start", given, (call) => actOn(context, lifeCycle, call, id)),
    }),
    hooks: {
      startup: async (call) => {
        await client.ping(call);
        if ((await keyCount(call)) === 0) log.warn(NO_KEYS_WARNING);
      },
      tasks: ({ ours }) => ({
        health_check: async (call) => {
          const pods = await ours(call);
          const keys = await keyCount(call);
          return {
            pods: pods.length,
            error: pods.filter(({ status }) => status === "error").length,
            ...(keys === undefined ? {} : { sshKeys: keys }),
            ...(keys === 0 ? { warning: NO_KEYS_WARNING } : {}),
          };
        },
        refresh_prices: async (call) => {
          const types = await client.gpuTypes(call, context.clouds[0] ?? "SECURE", 1);
          const available = types.filter(({ availability = "NONE" }) => availability !== "NONE");
          return { prices: types.length, available: available.length };
        },
      }),
    },
  });
}

/** `stop` and `start`; a pod that is so already is answered as it is. */
async function actOn(
  { client }: RunpodContext,
  lifeCycle: DriverParts<SeenPod, RunpodInstance, RunpodSpawnOptions, Prepared>["lifeCycle"],
  call: Call,
  id: string,
): Promise<RunpodInstance> {
  const action = call.operation === "stop" ? "stop" : "start";
  const pod = await lifeCycle.managed(call, id);
  const isSo = pod.status === (action === "stop" ? "EXITED" : "RUNNING");
  return lifeCycle.view(isSo ? pod : await client.act(call, id, action));
}

const WHY_NOT: WhyNot<RunpodCapability> = {
  snapshots: "RunPod has no snapshots of pods: keep data on a network volume (persistentVolumes).",
  spot: "RunPod's REST v2 has no interruptible pods, and GraphQL, the only way to them, ends in early 2027.",
  warmVolumes: "RunPod mounts a network volume only when a pod is created, so that no running pod can claim one.",
  hibernation: "A pod that is stopped loses its memory and its container disk, and may not get its GPU back.",
  costExplorer: "RunPod's billing records carry no owner or key, and nobody says how late they are.",
  tailscaleNative: "A pod is a container without a kernel of its own: RunPod joins no tailnet for it.",
  idempotentSpawn:
    "RunPod's create takes no token and its names are not unique, so two processes that share nothing can make one key twice: use launch with a store.",
  customNetworking: "RunPod has no networks to choose from.",
  terminateBy:
    "RunPod does not keep the time that it is given, and restarts a container that ends: the pod is billed on.",
};

async function placements(
  context: RunpodContext,
  call: Call,
  options: RunpodSpawnOptions,
): Promise<readonly RunpodSpawnOptions[]> {
  const mount = await mountFor(context, call, options);
  const places = await allPlaces(context, call, { ...options, ...mount?.place });
  const found = places.map(({ machine, dataCenter }) => ({
    // Spec and resources exclude each other: there the spawn chooses the machine again, in the given place.
    ...(options.resources === undefined ? { spec: machine.spec } : {}),
    ...(dataCenter === undefined ? {} : { region: dataCenter }),
    cloud: machine.cloud,
  }));
  return [...new Map(found.map((place) => [JSON.stringify(place), place])).values()];
}

function contextOf(options: RunpodSettings): RunpodContext {
  const config = checkedOptions(PROVIDER, configSchema, options, ["apiKey", "probe"]);
  const { runtime, probe = true } = options;
  const { cloud = "SECURE" } = config;
  const used = probe === true ? tcpProbe : probe === false ? null : probe;
  const { clock } = runtimeDefaults(runtime);
  const client = runpodClient(options);
  return {
    dataCenters: config.dataCenters,
    clouds: cloud === "ALL" ? ["SECURE", "COMMUNITY"] : [cloud],
    image: config.image ?? DEFAULT_IMAGE,
    diskGb: config.diskGb ?? DEFAULT_DISK_GB,
    clock,
    client,
    readiness: readiness(used, config.probeTimeoutMs ?? DEFAULT_PROBE_TIMEOUT_MS),
    sshKeys: sshKeys(client, clock),
  };
}
