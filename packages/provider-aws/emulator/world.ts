import { createHash } from "node:crypto";
import type { Clock } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import type { XmlFields } from "./answers.ts";
import { EMULATED_IMAGES, ZONE_LETTERS } from "./catalogue.ts";
import type { ResolvedSettings } from "./settings.ts";
import type {
  Image,
  Instance,
  LaunchTemplate,
  SecurityGroup,
  Snapshot,
  SpotRequest,
  Subnet,
  Volume,
  Vpc,
} from "./things.ts";
import { Timeline } from "./timeline.ts";

/** What a client token was used for. */
export interface RememberedToken {
  readonly fingerprint: string;
  readonly ids: readonly string[];
  readonly at: number;
}

export interface Region {
  readonly name: string;
  readonly zones: readonly string[];
  readonly vpcs: readonly Vpc[];
  readonly subnets: readonly Subnet[];
  readonly instances: Map<string, Timeline<Instance>>;
  readonly volumes: Map<string, Timeline<Volume>>;
  readonly snapshots: Map<string, Timeline<Snapshot>>;
  readonly images: Map<string, Timeline<Image>>;
  readonly groups: Map<string, Timeline<SecurityGroup>>;
  readonly templates: Map<string, Timeline<LaunchTemplate>>;
  readonly spotRequests: Map<string, Timeline<SpotRequest>>;
  /** What the making of each fleet was answered: a repeated token gets it again. */
  readonly fleets: Map<string, XmlFields>;
  /** By action, scope and token. */
  readonly tokens: Map<string, RememberedToken>;
  /** By zone, type and market; absent: `settings.capacity`. */
  readonly capacity: Map<string, number>;
  /** By market. */
  readonly quotas: Map<string, number>;
  /** By zone and type, USD an hour. */
  readonly spotPrices: Map<string, number>;
  /** Zones whose control plane does not answer. */
  readonly impaired: Set<string>;
}

/** What a day cost, for Cost Explorer. */
export interface CostEntry {
  /** `2026-01-31`. */
  readonly day: string;
  readonly usd: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly instanceId?: string;
  readonly type?: string;
  readonly region?: string;
}

/** All that the account holds. */
export interface World {
  readonly settings: ResolvedSettings;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly regions: Map<string, Region>;
  readonly costs: CostEntry[];
  /** Actions for which the account has no permission. */
  readonly denied: Set<string>;
  changes: number;
}

export function newWorld(settings: ResolvedSettings, clock: Clock): World {
  const world: World = {
    settings,
    clock,
    random: seededRandom(settings.seed),
    regions: new Map(),
    costs: [],
    denied: new Set(),
    changes: 0,
  };
  for (const name of settings.regions) world.regions.set(name, newRegion(world, name));
  return world;
}

function newRegion(world: World, name: string): Region {
  const zones = ZONE_LETTERS.map((letter) => `${name}${letter}`);
  const vpc = { id: fixedId("vpc", name), cidr: "172.31.0.0/16", isDefault: true, tags: {} };
  const region: Region = {
    name,
    zones,
    vpcs: [vpc],
    subnets: zones.map((zone, index) => ({
      id: fixedId("subnet", zone),
      vpcId: vpc.id,
      zone,
      prefix: `172.31.${index * 16}`,
      isDefault: true,
      tags: {},
    })),
    instances: new Map(),
    volumes: new Map(),
    snapshots: new Map(),
    images: new Map(),
    groups: new Map(),
    templates: new Map(),
    spotRequests: new Map(),
    fleets: new Map(),
    tokens: new Map(),
    capacity: new Map(),
    quotas: new Map(),
    spotPrices: new Map(),
    impaired: new Set(),
  };
  fill(world, region, vpc.id);
  return region;
}

const ALWAYS = Number.NEGATIVE_INFINITY;

function fill(world: World, region: Region, vpcId: string): void {
  const everything = { protocol: "-1", from: null, to: null, cidrs: ["0.0.0.0/0"], cidrs6: [], groups: [] };
  const id = fixedId("sg", region.name);
  const inbound = [{ ...everything, cidrs: [], groups: [id] }];
  const group = {
    id,
    name: "default",
    description: "default VPC security group",
    vpcId,
    inbound,
    outbound: [everything],
  };
  region.groups.set(id, new Timeline<SecurityGroup>(ALWAYS, { ...group, tags: {} }));
  for (const { id: imageId, name, architecture, rootDeviceName, sizeGib } of EMULATED_IMAGES) {
    const device = { device: rootDeviceName, sizeGib, encrypted: false, deleteOnTermination: true };
    const image: Image = {
      id: imageId,
      name,
      description: "",
      architecture,
      rootDeviceName,
      devices: [{ ...device, snapshotId: fixedId("snap", `${region.name} ${imageId}`) }],
      ownerId: "137112412989",
      isPublic: true,
      createdAt: world.clock.now() - 86_400_000,
      sourceInstanceId: null,
      state: "available",
      reason: null,
      tags: {},
    };
    region.images.set(imageId, new Timeline(ALWAYS, image));
  }
}

/** The same for the same name, in every run. */
function fixedId(kind: string, name: string): string {
  return `${kind}-0${createHash("sha256").update(`${kind} ${name}`).digest("hex").slice(0, 16)}`;
}

export function hex(world: World, digits: number): string {
  return Array.from({ length: digits }, () => world.random.whole(16).toString(16)).join("");
}

export function newId(world: World, kind: string): string {
  return `${kind}-0${hex(world, 16)}`;
}

/** All that there is at a moment, in the order in which it was made. */
export function allAt<T extends object>(things: ReadonlyMap<string, Timeline<T>>, moment: number): readonly T[] {
  return [...things.values()].flatMap((thing) => thing.at(moment) ?? []);
}
