import {
  type CallOptions,
  deadline,
  defineProvider,
  type Provider,
  type ProviderHooks,
  type Region,
  runtimeDefaults,
  type Snapshot,
} from "@slipway/core";
import { inTurn } from "@slipway/provider-kit/limits";
import { volumeMethods } from "./capabilities/volumes.ts";
import { runpodClient } from "./client.ts";
import type { RunpodContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { runpodHooks } from "./hooks.ts";
import type { RunpodInstance } from "./instance.ts";
import { actOn, terminateInstance } from "./lifecycle.ts";
import { getInstance, listInstances } from "./look-up.ts";
import { mountFor } from "./mounts.ts";
import { offeringsOf, type RunpodOffering } from "./offerings.ts";
import { configSchema, DEFAULT_DISK_GB, DEFAULT_IMAGE, describeIssue, type RunpodOptions } from "./options.ts";
import { allPlaces } from "./placements.ts";
import { readiness } from "./readiness.ts";
import { recent } from "./recent.ts";
import {
  checkMachine,
  checkPlace,
  MAX_LABELS,
  NAME_MAX_LENGTH,
  type RunpodCapability,
  type RunpodSpawnOptions,
} from "./request.ts";
import { spawnInstance } from "./spawn.ts";
import { MAX_USER_DATA_BYTES, render } from "./start-command.ts";
import { tcpProbe } from "./tcp-probe.ts";

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

/** Pods on RunPod. Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function runpod(options: RunpodOptions): RunpodProvider {
  return runpodParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function runpodParts(options: RunpodOptions): {
  readonly provider: RunpodProvider;
  readonly hooks: ProviderHooks;
} {
  const context = contextOf(options);
  const provider = defineProvider<RunpodProvider>(
    {
      name: PROVIDER,
      owner: options.owner,
      tier: "additional",
      capabilities: { gpu: true, multiRegion: true, persistentVolumes: true },
      limits: {
        maxUserDataBytes: MAX_USER_DATA_BYTES,
        maxLabels: MAX_LABELS,
        nameMaxLength: NAME_MAX_LENGTH,
        readAfterWriteMs: context.readAfterWriteMs,
      },
      whyNot: WHY_NOT,
      spawn: (spawning: RunpodSpawnOptions) => spawnInstance(context, spawning),
      terminate: (id, call) => terminateInstance(context, id, call),
      get: (id, call) => getInstance(context, id, call),
      list: (filter, call) => listInstances(context, filter, call),
      generateBootstrap: (config) => render(config),
      listRegions: (call) => regions(context, call),
      ...volumeMethods(context),
      placements: (wanted) => placements(context, wanted),
      listOfferings: (call) => offerings(context, call),
      stop: (id, call) => actOn(context, "stop", id, call),
      start: (id, call) => actOn(context, "start", id, call),
    },
    { runtime: { ...options.runtime, clock: context.clock }, ownOptions: ["cloud"] },
  );
  return { provider, hooks: runpodHooks(context) };
}

const WHY_NOT: NonNullable<Parameters<typeof defineProvider<RunpodProvider>>[0]["whyNot"]> = {
  snapshots: "RunPod has no snapshots of pods: keep data on a network volume (persistentVolumes).",
  spot: "RunPod's REST v2 has no interruptible pods, and GraphQL, the only way to them, ends in early 2027.",
  warmVolumes: "RunPod mounts a network volume only when a pod is created, so that no running pod can claim one.",
  hibernation: "A pod that is stopped loses its memory and its container disk, and may not get its GPU back.",
  costExplorer: "RunPod's billing records carry no owner or key, and nobody says how late they are.",
  tailscaleNative: "A pod is a container without a kernel of its own: RunPod joins no tailnet for it.",
  idempotentSpawn:
    "RunPod's create takes no token and its names are not unique, so two processes that share nothing can make one key twice: use launch with a store.",
  customNetworking: "RunPod has no networks to choose from.",
};

async function regions(context: RunpodContext, { signal }: CallOptions = {}): Promise<readonly Region[]> {
  if (context.dataCenters !== undefined) return context.dataCenters.map((id) => ({ id, name: id }));
  const centres = await context.client.dataCenters({ operation: "listRegions", signal });
  return centres.map(({ id, name }) => ({ id, name: name ?? id }));
}

async function offerings(context: RunpodContext, call: CallOptions = {}): Promise<readonly RunpodOffering[]> {
  const limit = deadline(context.clock, call.timeoutMs, call.signal);
  try {
    return await offeringsOf(context, { operation: "listOfferings", signal: limit.signal });
  } finally {
    limit.release();
  }
}

async function placements(context: RunpodContext, options: RunpodSpawnOptions): Promise<readonly RunpodSpawnOptions[]> {
  const limit = deadline(context.clock, options.timeoutMs, options.signal);
  const call = { operation: "placements", signal: limit.signal };
  try {
    checkPlace(context, call.operation, options);
    checkMachine(call.operation, options);
    const mount = await mountFor(context, call, options);
    const places = await allPlaces(context, call, mount === null ? options : { ...options, ...mount.place });
    const found = places.map(({ machine, dataCenter }) => ({
      // Spec and resources exclude each other: there the spawn chooses the machine again, in the given place.
      ...(options.resources === undefined ? { spec: machine.spec } : {}),
      ...(dataCenter === undefined ? {} : { region: dataCenter }),
      cloud: machine.cloud,
    }));
    return [...new Map(found.map((place) => [JSON.stringify(place), place])).values()];
  } finally {
    limit.release();
  }
}

function contextOf(options: RunpodOptions): RunpodContext {
  const { owner, runtime, probe = true, ...config } = options;
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) throw refusal("INVALID_SPEC", "register", `runpod: ${describeIssue(parsed.error)}`);
  const { readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS, cloud = "SECURE" } = config;
  const { clock } = runtimeDefaults(runtime);
  const used = probe === true ? tcpProbe : probe === false ? null : probe;
  return {
    owner,
    dataCenters: config.dataCenters,
    clouds: cloud === "ALL" ? ["SECURE", "COMMUNITY"] : [cloud],
    image: config.image ?? DEFAULT_IMAGE,
    diskGb: config.diskGb ?? DEFAULT_DISK_GB,
    readAfterWriteMs,
    clock,
    client: runpodClient(options),
    inTurn: inTurn(PROVIDER),
    readiness: readiness(used, config.probeTimeoutMs ?? DEFAULT_PROBE_TIMEOUT_MS),
    spawned: recent(clock, readAfterWriteMs),
    created: recent(clock, readAfterWriteMs),
  };
}
