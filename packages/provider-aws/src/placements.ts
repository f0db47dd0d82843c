import type { Subnet } from "@aws-sdk/client-ec2";
import type { NetworkOptions } from "@slipway/core";
import { mountsOf } from "./capabilities/attach.ts";
import { freeVolumes } from "./capabilities/warm-volumes.ts";
import type { AwsContext, Call } from "./context.ts";
import { type AWSSpawnOptions, machineTypeOf, regionFor } from "./request.ts";

/** Offerings by zone change when AWS builds: once a day is often enough. */
const OFFERINGS_KEPT_MS = 24 * 3_600_000;

/** A subnet that a spawn could go to. */
export interface AWSPlace {
  readonly region: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly freeAddresses: number;
  readonly spec: string;
  /** Until when EC2 is known to have none there, milliseconds since the epoch; 0 where nothing is known. */
  readonly unavailableUntil: number;
  /** Free volumes of the pool that the spawn asks for. */
  readonly warmVolumes: number;
}

/** What decides where a spawn can go. */
export type PlacementOptions = Pick<
  AWSSpawnOptions,
  "spec" | "gpu" | "resources" | "region" | "network" | "spot" | "image" | "fromSnapshot" | "volumes" | "warmVolume"
>;

/** The options that choose a place, for control's `launch`: best first. */
export async function placementsOf(
  context: AwsContext,
  call: Call,
  options: PlacementOptions,
): Promise<readonly { readonly region: string; readonly network: NetworkOptions }[]> {
  const places = await placesOf(context, call, options);
  return places.map(({ region, subnetId }) => ({ region, network: { ...options.network, subnet: subnetId } }));
}

/**
 * Where a spawn could go, best first: one subnet of each zone that sells the machine type and has an address left.
 * Zones with a warm volume come first, those that refused just now last: that was just now, and one that is
 * left out can never be found to have capacity again. Otherwise the most free addresses. EC2 has no call that tells of
 * capacity, so that only the launch itself finds out.
 */
export async function placesOf(
  context: AwsContext,
  call: Call,
  options: PlacementOptions,
): Promise<readonly AWSPlace[]> {
  const places: AWSPlace[] = [];
  for (const region of regionsFor(context, call, options)) {
    places.push(...(await placesIn(context, call, region, options)));
  }
  const now = context.clock.now();
  const refused = (place: AWSPlace): number => (place.unavailableUntil > now ? place.unavailableUntil : 0);
  const order = (a: AWSPlace, b: AWSPlace): number =>
    refused(a) - refused(b) ||
    Math.sign(b.warmVolumes) - Math.sign(a.warmVolumes) ||
    context.regions.indexOf(a.region) - context.regions.indexOf(b.region) ||
    b.freeAddresses - a.freeAddresses ||
    (a.zone < b.zone ? -1 : 1);
  return places.toSorted(order);
}

/** One region where the options are bound to one; all configured ones otherwise. */
function regionsFor(context: AwsContext, call: Call, options: PlacementOptions): readonly string[] {
  const { region, network, image, fromSnapshot, volumes = [] } = options;
  const bound =
    network !== undefined || fromSnapshot !== undefined || volumes.length > 0 || image?.startsWith("ami-") === true;
  if (region !== undefined || bound) return [regionFor(context, call.operation, options)];
  return context.regions;
}

async function placesIn(
  context: AwsContext,
  call: Call,
  region: string,
  options: PlacementOptions,
): Promise<readonly AWSPlace[]> {
  const spec = machineTypeOf(context, call.operation, options);
  const selling = await zonesSelling(context, call, region, spec);
  const [mount] = await mountsOf(context, call, region, options.volumes ?? []);
  const warm = await warmByZone(context, call, region, options.warmVolume);
  const subnets = await subnetsOf(context, call, region, options.network);
  const capacityType = options.spot === undefined ? "on-demand" : "spot";
  const places = subnets.flatMap(({ SubnetId: subnetId, AvailabilityZone: zone, AvailableIpAddressCount }) => {
    if (subnetId === undefined || zone === undefined || !selling.has(zone)) return [];
    // A volume never leaves its zone, and takes the instance there.
    if (mount !== undefined && mount.zone !== zone) return [];
    const offering = { capacityType, type: spec, zone, subnet: subnetId, region } as const;
    const freeAddresses = AvailableIpAddressCount ?? 0;
    if (freeAddresses === 0) return [];
    const unavailableUntil = context.unavailable.until(offering);
    return [{ region, zone, subnetId, freeAddresses, spec, unavailableUntil, warmVolumes: warm.get(zone) ?? 0 }];
  });
  return bestOfEachZone(places);
}

async function zonesSelling(
  context: AwsContext,
  call: Call,
  region: string,
  spec: string,
): Promise<ReadonlySet<string>> {
  const name = `${region}/${spec}`;
  const known = context.offerings.get(name);
  if (known !== undefined && context.clock.now() - known.at < OFFERINGS_KEPT_MS) return known.zones;
  const rows = await context.client.all(
    call,
    region,
    "DescribeInstanceTypeOfferings",
    { LocationType: "availability-zone", Filters: [{ Name: "instance-type", Values: [spec] }] },
    (page) => page.InstanceTypeOfferings,
  );
  const zones = new Set(rows.flatMap(({ Location }) => (Location === undefined ? [] : [Location])));
  context.offerings.set(name, { at: context.clock.now(), zones });
  return zones;
}

/** Those of the network that was asked for, otherwise the default ones of the region. */
async function subnetsOf(
  context: AwsContext,
  call: Call,
  region: string,
  network: NetworkOptions | undefined,
): Promise<readonly Subnet[]> {
  const { id, subnet } = network ?? {};
  const where =
    subnet !== undefined
      ? { SubnetIds: [subnet] }
      : {
          Filters: [id === undefined ? { Name: "default-for-az", Values: ["true"] } : { Name: "vpc-id", Values: [id] }],
        };
  return context.client.all(call, region, "DescribeSubnets", where, (page) => page.Subnets);
}

/** A subnet that refused just now gives way to another of its zone; otherwise the most free addresses. */
function bestOfEachZone(places: readonly AWSPlace[]): readonly AWSPlace[] {
  const best = new Map<string, AWSPlace>();
  for (const place of places) {
    const before = best.get(place.zone);
    const better =
      before === undefined ||
      place.unavailableUntil < before.unavailableUntil ||
      (place.unavailableUntil === before.unavailableUntil && place.freeAddresses > before.freeAddresses);
    if (better) best.set(place.zone, place);
  }
  return [...best.values()];
}

async function warmByZone(
  context: AwsContext,
  call: Call,
  region: string,
  pool: string | undefined,
): Promise<ReadonlyMap<string, number>> {
  if (pool === undefined) return new Map();
  const counts = new Map<string, number>();
  for (const { AvailabilityZone: zone = "" } of await freeVolumes(context, call, region, pool)) {
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
  }
  return counts;
}
