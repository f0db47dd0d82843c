import type { Call } from "./action.ts";
import { type Problem, problem } from "./answers.ts";
import { type EmulatedType, isOffered, typeOf } from "./catalogue.ts";
import type { Instance, Subnet } from "./things.ts";
import { allAt, type Region, type World } from "./world.ts";

export type Market = Instance["market"];

export function placeId(zone: string, type: string, market: Market): string {
  return `${zone} ${type} ${market}`;
}

/** Instances that hold capacity now. */
function holding(region: Region, now: number): readonly Instance[] {
  return allAt(region.instances, now).filter(({ state }) => state !== "terminated" && state !== "stopped");
}

/** How many more of a type a zone takes. */
function freeAt(world: World, region: Region, zone: string, type: string, market: Market): number {
  const there = holding(region, world.clock.now()).filter(
    (one) => one.zone === zone && one.type === type && one.market === market,
  );
  return (region.capacity.get(placeId(zone, type, market)) ?? world.settings.capacity) - there.length;
}

/** How many addresses a subnet has left. */
export function freeAddresses(world: World, region: Region, subnetId: string): number {
  const there = allAt(region.instances, world.clock.now()).filter(
    (one) => one.subnetId === subnetId && one.state !== "terminated",
  );
  return world.settings.addresses - there.length;
}

/** How many instances of a type the quota still allows. */
export function freeQuota(world: World, region: Region, type: EmulatedType, market: Market): number {
  const { vcpuQuota, spotVcpuQuota } = world.settings;
  const quota = region.quotas.get(market) ?? (market === "spot" ? spotVcpuQuota : vcpuQuota);
  const used = holding(region, world.clock.now())
    .filter((one) => one.market === market)
    .reduce((sum, one) => sum + (typeOf(one.type)?.vcpus ?? 0), 0);
  return Math.floor((quota - used) / type.vcpus);
}

export function quotaProblem(world: World, region: Region, market: Market): Problem {
  if (market === "spot") return problem("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded");
  const quota = region.quotas.get(market) ?? world.settings.vcpuQuota;
  return problem(
    "VcpuLimitExceeded",
    `You have requested more vCPU capacity than your current vCPU limit of ${quota} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`,
  );
}

/** A zone that takes so many, with the subnet for it; or why none does. */
export type Placed = { readonly subnet: Subnet; readonly capacity: number } | { readonly problem: Problem };

/** Looks for capacity in one subnet. */
export function capacityIn(call: Call, type: EmulatedType, market: Market, subnet: Subnet, count: number): Placed {
  const { world, region } = call;
  const { zone } = subnet;
  if (!isOffered(type, zone)) {
    const others = region.zones.filter((other) => isOffered(type, other)).join(", ");
    const message = `Your requested instance type (${type.name}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${others}.`;
    return { problem: problem("Unsupported", message) };
  }
  const free = freeAt(world, region, zone, type.name, market);
  if (free < count) return { problem: noCapacity(call, type, market, zone) };
  const addresses = freeAddresses(world, region, subnet.id);
  if (addresses < count) {
    const message = `There are not enough free addresses in subnet '${subnet.id}' to satisfy the requested number of instances.`;
    return { problem: problem("InsufficientFreeAddressesInSubnet", message) };
  }
  return { subnet, capacity: Math.min(free, addresses) };
}

function noCapacity({ world, region }: Call, type: EmulatedType, market: Market, zone: string): Problem {
  const code = "InsufficientInstanceCapacity";
  if (market === "spot") return problem(code, "There is no Spot capacity available that matches your request.");
  const others = region.zones.filter(
    (other) => isOffered(type, other) && freeAt(world, region, other, type.name, market) > 0,
  );
  const start = `We currently do not have sufficient ${type.name} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`;
  const hint = `You can currently get ${type.name} capacity by not specifying an Availability Zone in your request or choosing ${others.join(", ")}.`;
  return problem(code, others.length === 0 ? start : `${start} ${hint}`);
}

/** Looks for capacity anywhere in the region, where there is most. */
export function capacityAnywhere(call: Call, type: EmulatedType, market: Market, count: number): Placed {
  const { world, region } = call;
  const tries = region.subnets
    .filter(({ isDefault, zone }) => isDefault && isOffered(type, zone))
    .map((subnet) => ({ subnet, free: freeAt(world, region, subnet.zone, type.name, market) }))
    .toSorted((a, b) => b.free - a.free)
    .map(({ subnet }) => capacityIn(call, type, market, subnet, count));
  const found = tries.find((one) => "capacity" in one);
  if (found !== undefined) return found;
  if (market === "spot") {
    const message = "There is no Spot capacity available that matches your request.";
    return { problem: problem("InsufficientInstanceCapacity", message) };
  }
  const message = `We currently do not have sufficient ${type.name} capacity in the region. Our system will be working on provisioning additional capacity.`;
  return { problem: problem("InsufficientInstanceCapacity", message) };
}
