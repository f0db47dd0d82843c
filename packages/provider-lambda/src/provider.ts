import {
  type CallOptions,
  type CleanupMethods,
  defineCleanup,
  type Provider,
  runtimeDefaults,
  type Snapshot,
  type SpawnOptions,
  type WhyNot,
} from "@slipway/core";
import {
  checkedOptions,
  fromEnvironment,
  type ProviderParts,
  providerFromDriver,
  writeCache,
} from "@slipway/provider-kit/driver";
import { keyedMutex } from "@slipway/provider-kit/limits";
import { cleanupMethods } from "./cleanup.ts";
import { LAUNCH_TIMEOUT_MS, lambdaClient } from "./client.ts";
import { lambdaDriver } from "./driver.ts";
import type { LambdaInstance } from "./instance.ts";
import { type LambdaOffering, offeringsOf } from "./offerings.ts";
import { configSchema, DOCUMENTED_REGIONS, ENVIRONMENT, type LambdaOptions, type LambdaSettings } from "./options.ts";
import { allPlaces } from "./placements.ts";
import { type LambdaCapability, type LambdaRemote, PROVIDER, refusal } from "./remote.ts";
import { checkKeyName } from "./ssh-keys.ts";
import { MAX_USER_DATA_BYTES } from "./user-data.ts";
import { lambdaVolumes } from "./volumes.ts";
import type { WireFileSystem, WireInstance } from "./wire.ts";

/** What `placements` reads of the options. */
export type PlacementOptions = Pick<
  SpawnOptions<LambdaCapability>,
  "spec" | "gpu" | "resources" | "region" | "maxUsdPerHour"
> &
  CallOptions;

export type LambdaProvider = Provider<LambdaInstance, Snapshot, LambdaCapability> & {
  /**
   * Where such a spawn could go now, best first: by price, then in the order of the configured regions. For control's
   * `launch(provider, options, { placements })`, which tries the next one after a failure that made nothing. Empty if
   * nothing shows capacity. Lambda's list is a hint: a place may refuse all the same, and one that is missing may take.
   */
  readonly placements: (options: PlacementOptions) => Promise<readonly SpawnOptions<LambdaCapability>[]>;
  /** What Lambda sells now: every machine type with its price and the configured regions that show capacity. */
  readonly listOfferings: (call?: CallOptions) => Promise<readonly LambdaOffering[]>;
};

const DEFAULT_READ_AFTER_WRITE_MS = 10_000;

/**
 * Instances on Lambda Cloud. Reads the variables that `register` reads. Throws AUTH_ERROR
 * where there is no key, and INVALID_SPEC for options that are wrong; it calls nothing.
 *
 * @example
 * ```ts
 * const cloud = lambda({ owner: "me", apiKey: "from your vault" });
 * const { id } = await cloud.spawn({ key: "worker-1", spec: "gpu_1x_a10", sshKeys: ["laptop"] });
 * await cloud.terminate(id);
 * ```
 */
export function lambda(options: LambdaOptions): LambdaProvider {
  return lambdaParts(fromEnvironment(PROVIDER, ENVIRONMENT, options, process.env)).provider;
}

/** The provider, its hooks and its cleanup, over one client. */
export function lambdaParts(
  options: LambdaSettings,
): ProviderParts<LambdaProvider> & { readonly cleanup: CleanupMethods } {
  const { readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS, owner, runtime } = options;
  const remote = remoteOf(options, readAfterWriteMs);
  const { client, regions } = remote;
  const parts = providerFromDriver<LambdaProvider, WireInstance, undefined, WireFileSystem>({
    name: PROVIDER,
    owner,
    tier: "additional",
    capabilities: { gpu: true, multiRegion: true, persistentVolumes: true },
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: 32,
      nameMaxLength: 64,
      readAfterWriteMs,
      requestLifeMs: LAUNCH_TIMEOUT_MS,
    },
    whyNot: WHY_NOT,
    refuses: {
      ports: "Lambda opens ports by account-wide rules or by rulesets per region, not per instance: set them there.",
    },
    driver: lambdaDriver(remote),
    volumes: lambdaVolumes(remote),
    regions,
    runtime: { ...runtime, clock: remote.clock },
    methods: ({ lifeCycle }) => ({
      // Lambda describes a region only while it has capacity; its code is always true.
      listRegions: async () => regions.map((id) => ({ id, name: id })),
      placements: async (wanted) => {
        const call = { operation: "placements", signal: wanted.signal };
        lifeCycle.checkRegion(call, wanted.region);
        const places = await allPlaces(remote, call, wanted);
        // Spec and resources exclude each other: there the spawn chooses the machine type again, in the given region.
        if (wanted.resources === undefined) return places;
        return [...new Set(places.map(({ region }) => region))].map((region) => ({ region }));
      },
      listOfferings: ({ signal } = {}) => offeringsOf(remote, { operation: "listOfferings", signal }),
    }),
    hooks: {
      startup: (call) => checkKeyName(remote, call),
      tasks: ({ ours }) => ({
        health_check: async (call) => {
          const count = (state: string, all: readonly LambdaInstance[]) =>
            all.filter((one) => one.state === state).length;
          const all = await ours(call);
          return { unhealthy: count("unhealthy", all), preempted: count("preempted", all) };
        },
        refresh_prices: async (call) => {
          const offerings = Object.values(await client.offerings(call));
          const available = offerings.filter(({ regions_with_capacity_available: shown }) => shown.length > 0);
          return { prices: offerings.length, available: available.length };
        },
      }),
    },
  });
  const cleanup = defineCleanup(parts.provider, cleanupMethods(remote), {
    runtime: { ...runtime, clock: remote.clock },
  });
  return { ...parts, cleanup };
}

const WHY_NOT: WhyNot<LambdaCapability> = {
  snapshots: "Lambda's API has no snapshots: keep data on a filesystem (persistentVolumes).",
  spot: "Lambda sells no interruptible capacity.",
  warmVolumes: "Lambda attaches filesystems only at launch, so that none can be claimed by a running instance.",
  hibernation: "Lambda's instances cannot be stopped or suspended: they run and cost until they are terminated.",
  costExplorer: "Lambda's API tells no costs or usage: reckon with the price of the instance and its time.",
  tailscaleNative: "Lambda joins no tailnet by itself: do it in the bootstrap, with the feature tailscale.",
  idempotentSpawn:
    "Lambda's launch takes no client token, so two processes that share nothing can launch one key twice: use launch with a store.",
  customNetworking: "Lambda's API has no networks to choose from.",
  terminateBy: "Lambda ends an instance only by an API call with the account's key, which must not lie in an instance.",
};

function remoteOf(options: LambdaSettings, readAfterWriteMs: number): LambdaRemote {
  const { owner, runtime } = options;
  const config = checkedOptions(PROVIDER, configSchema, options, ["apiKey"]);
  const { regions = DOCUMENTED_REGIONS, sshKeyName } = config;
  const [first, ...others] = regions;
  if (first === undefined) throw refusal("INVALID_SPEC", "register", "regions must name at least one");
  const { clock } = runtimeDefaults(runtime);
  return {
    owner,
    regions: [first, ...others],
    sshKeyName,
    clock,
    client: lambdaClient(options),
    mutex: keyedMutex(PROVIDER),
    keyNames: new Map(),
    volumeCache: writeCache(clock, readAfterWriteMs),
  };
}
