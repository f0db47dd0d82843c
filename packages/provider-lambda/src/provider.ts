import {
  type CallOptions,
  deadline,
  defineProvider,
  type Provider,
  type ProviderHooks,
  runtimeDefaults,
  type Snapshot,
  type SpawnOptions,
} from "@slipway/core";
import { inTurn, recent } from "@slipway/provider-kit/limits";
import { volumeMethods } from "./capabilities/volumes.ts";
import { type Call, lambdaClient } from "./client.ts";
import type { LambdaContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { lambdaHooks } from "./hooks.ts";
import type { LambdaInstance } from "./instance.ts";
import { getInstance, listInstances } from "./look-up.ts";
import { type LambdaOffering, offeringsOf } from "./offerings.ts";
import { configSchema, DOCUMENTED_REGIONS, describeIssue, type LambdaOptions } from "./options.ts";
import { allPlaces } from "./placements.ts";
import { checkPlace, type LambdaCapability, MAX_LABELS, NAME_MAX_LENGTH } from "./request.ts";
import { spawnInstance } from "./spawn.ts";
import { terminateInstance } from "./terminate.ts";
import { MAX_USER_DATA_BYTES, render } from "./user-data.ts";

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

/** Instances on Lambda Cloud. Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function lambda(options: LambdaOptions): LambdaProvider {
  return lambdaParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function lambdaParts(options: LambdaOptions): {
  readonly provider: LambdaProvider;
  readonly hooks: ProviderHooks;
} {
  const context = contextOf(options);
  const { readAfterWriteMs } = context;
  const provider = defineProvider<LambdaProvider>(
    {
      name: PROVIDER,
      owner: options.owner,
      tier: "additional",
      capabilities: { gpu: true, multiRegion: true, persistentVolumes: true },
      limits: {
        maxUserDataBytes: MAX_USER_DATA_BYTES,
        maxLabels: MAX_LABELS,
        nameMaxLength: NAME_MAX_LENGTH,
        readAfterWriteMs,
      },
      whyNot: WHY_NOT,
      refuses: {
        ports: "Lambda opens ports by account-wide rules or by rulesets per region, not per instance: set them there.",
      },
      spawn: (spawning) => spawnInstance(context, spawning),
      terminate: (id, call) => terminateInstance(context, id, call),
      get: (id, call) => getInstance(context, id, call),
      list: (filter, call) => listInstances(context, filter, call),
      generateBootstrap: (config) => render(config),
      // Lambda describes a region only while it has capacity; its code is always true.
      listRegions: async () => context.regions.map((id) => ({ id, name: id })),
      ...volumeMethods(context),
      placements: (wanted) => timed(context, "placements", wanted, (call) => placements(context, call, wanted)),
      listOfferings: (given) => timed(context, "listOfferings", given, (call) => offeringsOf(context, call)),
    },
    { runtime: { ...options.runtime, clock: context.clock } },
  );
  return { provider, hooks: lambdaHooks(context) };
}

const WHY_NOT: NonNullable<Parameters<typeof defineProvider<LambdaProvider>>[0]["whyNot"]> = {
  snapshots: "Lambda's API has no snapshots: keep data on a filesystem (persistentVolumes).",
  spot: "Lambda sells no interruptible capacity.",
  warmVolumes: "Lambda attaches filesystems only at launch, so that none can be claimed by a running instance.",
  hibernation: "Lambda's instances cannot be stopped or suspended: they run and cost until they are terminated.",
  costExplorer: "Lambda's API tells no costs or usage: reckon with the price of the instance and its time.",
  tailscaleNative: "Lambda joins no tailnet by itself: do it in the bootstrap, with the feature tailscale.",
  idempotentSpawn:
    "Lambda's launch takes no client token, so two processes that share nothing can launch one key twice: use launch with a store.",
  customNetworking: "Lambda's API has no networks to choose from.",
};

/** What core does for the contract's methods: `timeoutMs` becomes the signal. */
async function timed<T>(
  { clock }: LambdaContext,
  operation: string,
  { signal, timeoutMs }: CallOptions = {},
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const limit = deadline(clock, timeoutMs, signal);
  try {
    return await work({ operation, signal: limit.signal });
  } finally {
    limit.release();
  }
}

async function placements(
  context: LambdaContext,
  call: Call,
  options: PlacementOptions,
): Promise<readonly SpawnOptions<LambdaCapability>[]> {
  checkPlace(context, call.operation, options);
  const places = await allPlaces(context, call, options);
  // Spec and resources exclude each other: there the spawn chooses the machine type again, in the given region.
  if (options.resources === undefined) return places;
  return [...new Set(places.map(({ region }) => region))].map((region) => ({ region }));
}

function contextOf(options: LambdaOptions): LambdaContext {
  const { owner, runtime, ...config } = options;
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) throw refusal("INVALID_SPEC", "register", `lambda: ${describeIssue(parsed.error)}`);
  const { readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS, regions = DOCUMENTED_REGIONS, sshKeyName } = config;
  const [first, ...others] = regions;
  if (first === undefined) throw refusal("INVALID_SPEC", "register", "regions must name at least one");
  const { clock } = runtimeDefaults(runtime);
  return {
    owner,
    regions: [first, ...others],
    sshKeyName,
    readAfterWriteMs,
    clock,
    client: lambdaClient(options),
    inTurn: inTurn(PROVIDER),
    keyNames: new Map(),
    launched: recent(clock, readAfterWriteMs),
    ended: recent(clock, readAfterWriteMs),
    created: recent(clock, readAfterWriteMs),
  };
}
