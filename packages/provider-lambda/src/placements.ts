import { type GpuOptions, type Operation, type ResourceOptions } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";
import type { Call } from "@slipway/provider-kit/driver";
import { acceleratorOf } from "./instance.ts";
import { type LambdaRemote, type LambdaSpawnOptions, refusal } from "./remote.ts";
import type { WireInstanceType, WireOffering } from "./wire.ts";

/** Where a spawn can go: one machine type in one region. */
export interface Place {
  readonly spec: string;
  readonly region: string;
}

/** A place, and what Lambda told of its machine type, if it was asked. */
export interface ChosenPlace extends Place {
  readonly type?: WireInstanceType;
}

type Wanted = Pick<LambdaSpawnOptions, "spec" | "gpu" | "resources" | "region" | "maxUsdPerHour">;

const GIBIBYTE = 1024 ** 3;

/** The first place, fixed before the launch. Asks Lambda only for what the options leave open. */
export async function choosePlace(remote: LambdaRemote, call: Call, wanted: Wanted): Promise<ChosenPlace> {
  const { spec, region, gpu, maxUsdPerHour } = wanted;
  if (spec !== undefined && region !== undefined && gpu === undefined && maxUsdPerHour === undefined) {
    return { spec, region };
  }
  const types = fitting(await remote.client.offerings(call), call.operation, wanted);
  const [place] = placesOf(remote, types, region);
  const [cheapest] = types;
  if (place !== undefined) {
    const offered = types.find(({ instance_type }) => instance_type.name === place.spec);
    return { ...place, ...(offered === undefined ? {} : { type: offered.instance_type }) };
  }
  // The list of capacity is a hint: where the caller names the region, Lambda itself decides.
  if (region !== undefined && cheapest !== undefined) {
    return { spec: cheapest.instance_type.name, region, type: cheapest.instance_type };
  }
  const names = types.map((type) => type.instance_type.name).join(", ");
  throw refusal("CAPACITY_ERROR", call.operation, `no configured region shows capacity for ${names}`, {
    hint: "Lambda's capacity comes and goes by the minute: try again, or name a region to try it all the same.",
  });
}

/** All places that show capacity now: by price, then in the order of the configured regions. */
export async function allPlaces(remote: LambdaRemote, call: Call, wanted: Wanted): Promise<readonly Place[]> {
  const types = fitting(await remote.client.offerings(call), call.operation, wanted);
  return placesOf(remote, types, wanted.region);
}

function placesOf(remote: LambdaRemote, types: readonly WireOffering[], region: string | undefined): readonly Place[] {
  const regions = region === undefined ? remote.regions : [region];
  return types.flatMap(({ instance_type, regions_with_capacity_available: shown }) =>
    regions
      .filter((name) => shown.some((one) => one.name === name))
      .map((name) => ({ spec: instance_type.name, region: name })),
  );
}

/** The machine types that the options allow, cheapest first; at least one, or INVALID_SPEC. */
function fitting(
  offerings: Readonly<Record<string, WireOffering>>,
  operation: Operation,
  { spec, gpu, resources, maxUsdPerHour }: Wanted,
): readonly WireOffering[] {
  const named = Object.values(offerings).filter(
    ({ instance_type }) => spec === undefined || instance_type.name === spec,
  );
  if (spec !== undefined && named.length === 0) {
    throw refusal("INVALID_SPEC", operation, `spec ${JSON.stringify(spec)} is no machine type of Lambda`);
  }
  const able = named.filter(
    ({ instance_type }) => hasAccelerators(instance_type, gpu) && hasResources(instance_type, resources),
  );
  if (able.length === 0) {
    const what = spec === undefined ? "no machine type of Lambda" : `spec ${JSON.stringify(spec)} is not what`;
    throw refusal("INVALID_SPEC", operation, `${what} has what ${gpu === undefined ? "resources" : "gpu"} asks for`);
  }
  const payable = able.filter(
    ({ instance_type: type }) => maxUsdPerHour === undefined || centsOf(type) / 100 <= maxUsdPerHour,
  );
  if (payable.length > 0) {
    return payable.sort(
      (a, b) =>
        rank(a.instance_type, gpu) - rank(b.instance_type, gpu) ||
        centsOf(a.instance_type) - centsOf(b.instance_type) ||
        (a.instance_type.name < b.instance_type.name ? -1 : 1),
    );
  }
  throw aboveCap(
    operation,
    able.map(({ instance_type: type }) => type),
    maxUsdPerHour,
  );
}

/** No price is above every cap: what the machine would cost is not known. */
function centsOf({ price_cents_per_hour: cents = 0 }: WireInstanceType): number {
  return cents > 0 ? cents : Number.MAX_SAFE_INTEGER;
}

function aboveCap(operation: Operation, able: readonly WireInstanceType[], most: number | undefined): Error {
  const least = Math.min(...able.map(centsOf));
  if (least < Number.MAX_SAFE_INTEGER) {
    const message = `maxUsdPerHour is ${most}, and the cheapest that fits costs ${least / 100} US dollars an hour`;
    return refusal("INVALID_SPEC", operation, message);
  }
  const names = able.map(({ name }) => name).join(", ");
  const message = `maxUsdPerHour is ${most}, and Lambda does not tell the price of ${names}`;
  return refusal("INVALID_SPEC", operation, message, {
    hint: "Spawn it without maxUsdPerHour, or ask for a machine type whose price is known.",
  });
}

function hasAccelerators(type: WireInstanceType, gpu: GpuOptions | undefined): boolean {
  if (gpu === undefined) return true;
  if (type.specs?.gpus !== gpu.count) return false;
  return gpu.type === undefined || rank(type, gpu) < Number.POSITIVE_INFINITY;
}

/** `a100` is exactly `a100`, and also, after it, `a100_80gb_sxm4`. */
function rank(type: WireInstanceType, gpu: GpuOptions | undefined): number {
  if (gpu?.type === undefined) return 0;
  const fit = gpuFit(gpu.type, acceleratorOf(type.name) ?? "");
  return fit === "exact" ? 0 : fit === "variant" ? 1 : Number.POSITIVE_INFINITY;
}

function hasResources({ specs }: WireInstanceType, resources: ResourceOptions | undefined): boolean {
  if (resources === undefined) return true;
  const { cpus = 0, memoryBytes = 0, diskBytes = 0 } = resources;
  return (
    (specs?.vcpus ?? 0) >= cpus &&
    (specs?.memory_gib ?? 0) * GIBIBYTE >= memoryBytes &&
    (specs?.storage_gib ?? 0) * GIBIBYTE >= diskBytes
  );
}
