import {
  type BootstrapMethods,
  type CallOptions,
  type Provider,
  runtimeDefaults,
  type Snapshot,
  type Supporting,
  type WhyNot,
} from "@slipway/core";
import {
  type Call,
  checkedOptions,
  type DriverDefinition,
  type ProviderParts,
  providerFromDriver,
} from "@slipway/provider-kit/driver";
import { bootstrapMethods } from "./bootstrap-report.ts";
import { gcpClient, LONGEST_OPERATION_MS } from "./client.ts";
import { gcpDriver, LONGEST_DELETION_MS } from "./driver.ts";
import { hibernationMethods } from "./hibernation.ts";
import { MAX_USER_DATA_BYTES, type Prepared } from "./insert-body.ts";
import type { GcpInstance } from "./instance.ts";
import { type GcpOffering, offeringMethods } from "./offerings.ts";
import { configSchema, DEFAULT_IMAGE, DEFAULT_SPEC, DEFAULT_ZONES, type GcpOptions } from "./options.ts";
import { type GcpCapability, type GcpRemote, type GcpSpawnOptions, PROVIDER, refusal, regionOf } from "./remote.ts";
import { snapshotMethods } from "./snapshots.ts";
import { spotMethods } from "./spot.ts";
import { gcpVolumes } from "./volumes.ts";
import type { WireDisk, WireInstance } from "./wire.ts";

export type GcpProvider = Provider<GcpInstance, Snapshot, GcpCapability> &
  BootstrapMethods & {
    /** As the contract's, and `zone` chooses one of the configured zones. */
    readonly spawn: (options: GcpSpawnOptions) => Promise<GcpInstance>;
    /**
     * Where such a spawn could go: the configured zones of the region, the one that `spawn` itself would choose among them.
     * For control's `launch(provider, options, { placements })`, which tries the next one after a failure that made nothing.
     */
    readonly placements: (options: GcpSpawnOptions) => Promise<readonly GcpSpawnOptions[]>;
    /** The machine types of the configured zones; without a price where Google's price list is not understood. Kept 12 hours. */
    readonly listOfferings: (call?: CallOptions) => Promise<readonly GcpOffering[]>;
  };
/** A provider of one zone: names are unique there, so that a key is too, whoever spawns it. */
export type GcpZoneProvider = Supporting<GcpProvider, "idempotentSpawn">;

type GcpDefinition = DriverDefinition<GcpProvider, WireInstance, Prepared, WireDisk>;

const DEFAULT_READ_AFTER_WRITE_MS = 10_000;
// So late Google begins with an end that has its time.
const TERMINATION_LATE_MS = 30_000;

/**
 * Instances on Google Compute Engine. Throws INVALID_SPEC for options that are wrong; it calls nothing.
 *
 * @example
 * ```ts
 * const cloud = gcp({ owner: "me", project: "my-project", zones: ["europe-west3-a"] });
 * const { id } = await cloud.spawn({ key: "worker-1", spec: "e2-micro" });
 * await cloud.terminate(id);
 * ```
 */
export function gcp(options: GcpOptions & { readonly zones: readonly [string] }): GcpZoneProvider;
export function gcp(options: GcpOptions): GcpProvider;
export function gcp(options: GcpOptions): GcpProvider {
  return gcpParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function gcpParts(options: GcpOptions): ProviderParts<GcpProvider> {
  const { owner, runtime, readAfterWriteMs = DEFAULT_READ_AFTER_WRITE_MS } = options;
  const remote = remoteOf(options);
  const { regions, zones } = remote;
  const definition: Omit<GcpDefinition, "capabilities" | "whyNot"> = {
    name: PROVIDER,
    owner,
    tier: "additional",
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: 64,
      nameMaxLength: 128,
      readAfterWriteMs,
      requestLifeMs: LONGEST_OPERATION_MS,
      terminateLateMs: LONGEST_DELETION_MS + TERMINATION_LATE_MS,
    },
    refuses: {
      ports: "Google opens ports by firewall rules of a network, not per instance: set them there.",
      maxUsdPerHour: "This provider does not know what an instance costs on demand; `spot.maxUsdPerHour` is checked.",
    },
    driver: gcpDriver(remote),
    volumes: gcpVolumes(remote),
    regions,
    ownOptions: ["zone"],
    runtime: { ...runtime, clock: remote.clock },
    methods: ({ lifeCycle, timed }) => ({
      ...offeringMethods(remote),
      ...bootstrapMethods(remote, lifeCycle),
      ...hibernationMethods(remote, lifeCycle),
      ...snapshotMethods(remote, lifeCycle),
      ...spotMethods(remote, lifeCycle),
      listRegions: async () => regions.map((id) => ({ id, name: id })),
      placements: (wanted) =>
        timed("placements", wanted, async (call) => {
          lifeCycle.checkRegion(call, wanted.region);
          const there = zones.filter((zone) => wanted.region === undefined || regionOf(zone) === wanted.region);
          return there
            .filter((zone) => wanted.zone === undefined || zone === wanted.zone)
            .map((zone) => ({ region: regionOf(zone), zone }));
        }),
    }),
    hooks: { startup: (call) => checkZones(remote, call) },
  };
  const capabilities = {
    spot: true,
    gpu: true,
    multiRegion: true,
    persistentVolumes: true,
    hibernation: true,
    customNetworking: true,
    snapshots: true,
    terminateBy: true,
  } as const;
  const several = { ...definition, capabilities, whyNot: { ...WHY_NOT, idempotentSpawn: NOT_IN_SEVERAL } };
  const one = { ...definition, capabilities: { ...capabilities, idempotentSpawn: true as const }, whyNot: WHY_NOT };
  return zones.length === 1
    ? providerFromDriver<GcpZoneProvider, WireInstance, Prepared, WireDisk>(one)
    : providerFromDriver<GcpProvider, WireInstance, Prepared, WireDisk>(several);
}

/** Credentials, project and zones are there: one read. */
async function checkZones({ client, zones, project }: GcpRemote, call: Call): Promise<void> {
  const known = new Map((await client.zones(call)).map((zone) => [zone.name, zone]));
  for (const zone of zones) {
    const found = known.get(zone);
    if (found === undefined) {
      throw refusal("INVALID_SPEC", call.operation, `project ${project} has no zone ${zone}`);
    }
    if (found.region !== undefined && found.region !== regionOf(zone)) {
      throw refusal("INVALID_SPEC", call.operation, `zone ${zone} is in ${found.region}, which its name does not say`);
    }
  }
}

const NOT_IN_SEVERAL =
  "Google's names are unique in a zone, and not over several: configure one zone, or let control's `launch` hold the key.";
const WHY_NOT: WhyNot<GcpCapability | "idempotentSpawn"> = {
  warmVolumes: "Google's disks are not attached by this provider yet.",
  costExplorer: "Google tells costs only through an export to BigQuery.",
  tailscaleNative: "Compute Engine joins no tailnet by itself: do it in the bootstrap, with the feature tailscale.",
};

function remoteOf(options: GcpOptions): GcpRemote {
  const { owner, runtime } = options;
  const config = checkedOptions(PROVIDER, configSchema, options, ["accessToken"]);
  const { zones = DEFAULT_ZONES, project } = config;
  if (project === undefined) throw refusal("INVALID_SPEC", "register", "project is missing");
  const regions = [...new Set(zones.map(regionOf))];
  return {
    owner,
    project,
    zones,
    regions,
    defaultSpec: config.defaultSpec ?? DEFAULT_SPEC,
    image: config.image ?? DEFAULT_IMAGE,
    bootDisk: { sizeGb: config.bootDiskGb, type: config.bootDiskType },
    network: config.network,
    subnetwork: config.subnetwork,
    hasPublicAddress: config.publicAddress ?? true,
    serviceAccount: config.serviceAccount,
    sshUser: config.sshUser ?? "slipway",
    spotTermination: config.spotTermination ?? "DELETE",
    clock: runtimeDefaults(runtime).clock,
    client: gcpClient(options),
  };
}
