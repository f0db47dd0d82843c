import { type CallOptions, type Provider, type RegionMethods, runtimeDefaults } from "@slipway/core";
import { checkedOptions, type ProviderParts, providerFromDriver } from "@slipway/provider-kit/driver";
import { keyedMutex, readAfterWriteCache } from "@slipway/provider-kit/limits";
import { batching } from "./batching.ts";
import { PROVIDER, refusal } from "./call.ts";
import { costMethods } from "./capabilities/cost-query.ts";
import { hibernationMethods } from "./capabilities/hibernation.ts";
import { volumeMethods } from "./capabilities/persistent-volumes.ts";
import { type AWSOffering, offeringMethods } from "./capabilities/prices.ts";
import type { AWSSnapshot } from "./capabilities/snapshot-image.ts";
import { snapshotMethods } from "./capabilities/snapshots.ts";
import { spotMethods } from "./capabilities/spot.ts";
import { warmVolumeMethods } from "./capabilities/warm-volumes.ts";
import { awsClient, WRITE_TIMEOUT_MS } from "./client.ts";
import type { AwsContext, AwsLifeCycle } from "./context.ts";
import { awsDriver } from "./driver.ts";
import { awsHooks } from "./hooks.ts";
import type { AWSInstance } from "./instance.ts";
import { instanceBatches } from "./instance-batches.ts";
import { listNames, MOST_VALUES } from "./lookup.ts";
import {
  type AwsOptions,
  configSchema,
  DEFAULT_READ_AFTER_WRITE_MS,
  DEFAULT_REGION,
  DEFAULT_SPEC,
  withEnvironment,
} from "./options.ts";
import { type PlacementOptions, placementsOf } from "./placements.ts";
import type { AWSSpawnOptions, AwsCapability, Prepared } from "./request.ts";
import { MAX_LABELS, NAME_MAX_LENGTH } from "./tags.ts";
import { TERMINATE_LATE_MS } from "./terminate-by.ts";
import { mostEndsAtOnce } from "./token-buckets.ts";
import { unavailableOfferings } from "./unavailable.ts";
import { MAX_USER_DATA_BYTES } from "./user-data.ts";

export type AwsProvider = Provider<AWSInstance, AWSSnapshot, AwsCapability> & {
  /**
   * Where such a spawn could go now, best first: one subnet of each zone that sells the machine type. For control's
   * `launch(provider, options, { placements })`, which tries the next one after a failure that made nothing.
   */
  readonly placements: (options: PlacementOptions & CallOptions) => Promise<readonly AWSSpawnOptions[]>;
  /** What an hour of each machine type costs on demand in the configured regions, from AWS's price list. */
  readonly listOfferings: (call?: CallOptions) => Promise<readonly AWSOffering[]>;
};

// So long a lost answer is remembered: the same claim is then the same volume.
const UNCLEAR_CLAIM_MS = 3_600_000;

/**
 * Instances on AWS EC2. What the options leave out is read from the variables that `register` reads. Throws INVALID_SPEC
 * for options that are wrong; it calls nothing, and loads no SDK.
 *
 * @example
 * ```ts
 * const cloud = aws({ owner: "me", regions: ["eu-central-1"] });
 * const { id } = await cloud.spawn({ key: "worker-1", spec: "t3.micro", maxUsdPerHour: 0.05 });
 * await cloud.terminate(id);
 * ```
 */
export function aws(options: AwsOptions): AwsProvider {
  return awsParts(withEnvironment(options, process.env)).provider;
}

/** The provider and its hooks, over one client. */
export function awsParts(options: AwsOptions): ProviderParts<AwsProvider> & { readonly context: AwsContext } {
  const made: { lifeCycle?: AwsLifeCycle } = {};
  const context = contextOf(options, () => {
    if (made.lifeCycle !== undefined) return made.lifeCycle;
    throw refusal("INTERNAL", "register", "the provider is not made yet");
  });
  const { regions, readAfterWriteMs } = context;
  const parts = providerFromDriver<AwsProvider, AWSInstance, Prepared>({
    name: PROVIDER,
    owner: options.owner,
    tier: "reference",
    capabilities: {
      snapshots: true,
      spot: true,
      gpu: true,
      multiRegion: true,
      persistentVolumes: true,
      warmVolumes: true,
      hibernation: true,
      costExplorer: true,
      customNetworking: true,
      terminateBy: true,
    },
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: NAME_MAX_LENGTH,
      readAfterWriteMs,
      requestLifeMs: WRITE_TIMEOUT_MS,
      terminateLateMs: TERMINATE_LATE_MS,
    },
    whyNot: {
      idempotentSpawn:
        "EC2 keeps client tokens for each region and zone: two processes that share nothing can launch a key in two places.",
      tailscaleNative: "EC2 joins no tailnet by itself: do it in the bootstrap, with the feature tailscale.",
    },
    driver: awsDriver(context),
    regions,
    hooks: awsHooks(context),
    runtime: { ...options.runtime, clock: context.clock },
    methods: ({ lifeCycle }) => {
      made.lifeCycle = lifeCycle;
      return {
        ...snapshotMethods(context),
        ...spotMethods(context),
        ...regionMethods(context),
        ...volumeMethods(context),
        ...warmVolumeMethods(context),
        ...hibernationMethods(context),
        ...costMethods(context),
        placements: (wanted) => placementsOf(context, { operation: "placements", signal: wanted.signal }, wanted),
        ...offeringMethods(context),
      };
    },
  });
  return { ...parts, context };
}

function contextOf(options: AwsOptions, lifeCycle: AwsContext["lifeCycle"]): AwsContext {
  const { owner, runtime } = options;
  const config = checkedOptions(PROVIDER, configSchema, options);
  const { readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS, regions = [], defaultSpec = DEFAULT_SPEC } = config;
  const [first = DEFAULT_REGION, ...others] = regions;
  const { clock, onEvent } = runtimeDefaults(runtime);
  const client = awsClient(options);
  const context: AwsContext = {
    owner,
    lifeCycle,
    regions: [first, ...others],
    defaultSpec,
    defaultImage: config.defaultImage,
    instanceProfile: config.instanceProfile,
    // EC2's own default for T3 bills what goes beyond the list price.
    cpuCredits: config.cpuCredits ?? "standard",
    readAfterWriteMs,
    clock,
    emit: onEvent,
    client,
    batches: instanceBatches(client, { clock, onEvent, mostEnds: mostEndsAtOnce(config.share) }),
    keyLookups: batching<readonly AWSInstance[]>({
      most: MOST_VALUES,
      writes: false,
      clock,
      onEvent,
      send: (call, region, names) => listNames(context, call, region, names),
    }),
    keyedMutex: keyedMutex(PROVIDER),
    unavailable: unavailableOfferings(clock, onEvent),
    launched: readAfterWriteCache(clock, readAfterWriteMs),
    unclearVolumes: readAfterWriteCache(clock, readAfterWriteMs),
    created: readAfterWriteCache(clock, readAfterWriteMs),
    claimed: readAfterWriteCache(clock, readAfterWriteMs),
    unclearClaims: readAfterWriteCache(clock, UNCLEAR_CLAIM_MS),
    released: readAfterWriteCache(clock, readAfterWriteMs),
    powered: readAfterWriteCache(clock, readAfterWriteMs),
    endedForRoom: new Set(),
    deleted: readAfterWriteCache(clock, readAfterWriteMs),
    offerings: new Map(),
    prices: new Map(),
    securityGroups: new Map(),
    imageIds: new Map(),
    images: new Map(),
    defaultVpcs: new Map(),
  };
  return context;
}

/** AWS's own names of its regions, for people; a region that is not here is shown by its id. */
const NAMES: Readonly<Record<string, string>> = {
  "us-east-1": "US East (N. Virginia)",
  "us-east-2": "US East (Ohio)",
  "us-west-1": "US West (N. California)",
  "us-west-2": "US West (Oregon)",
  "ca-central-1": "Canada (Central)",
  "sa-east-1": "South America (São Paulo)",
  "eu-central-1": "Europe (Frankfurt)",
  "eu-west-1": "Europe (Ireland)",
  "eu-west-2": "Europe (London)",
  "eu-west-3": "Europe (Paris)",
  "eu-north-1": "Europe (Stockholm)",
  "eu-south-1": "Europe (Milan)",
  "ap-south-1": "Asia Pacific (Mumbai)",
  "ap-southeast-1": "Asia Pacific (Singapore)",
  "ap-southeast-2": "Asia Pacific (Sydney)",
  "ap-northeast-1": "Asia Pacific (Tokyo)",
  "ap-northeast-2": "Asia Pacific (Seoul)",
  "ap-northeast-3": "Asia Pacific (Osaka)",
};

function regionMethods(context: Pick<AwsContext, "regions">): RegionMethods {
  return { listRegions: async () => context.regions.map((id) => ({ id, name: NAMES[id] ?? id })) };
}
