import type { GpuOptions, Operation, ResourceOptions } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";
import { type Call, type PricedMachine, withinPriceCap } from "@slipway/provider-kit/driver";
import { acceleratorOf, usdPerHourOf } from "./instance.ts";
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

/** A machine type that fits, and the regions that show capacity of it. */
interface Machine extends PricedMachine {
  readonly type: WireInstanceType;
  readonly shown: ReadonlySet<string>;
  /** How well its GPUs are what was asked for; 0 is exactly. */
  readonly rank: number;
}

const GIBIBYTE = 1024 ** 3;

/** The first place, fixed before the launch. Asks Lambda only for what the options leave open. */
export async function choosePlace(remote: LambdaRemote, call: Call, wanted: Wanted): Promise<ChosenPlace> {
  const { spec, region, gpu, maxUsdPerHour } = wanted;
  if (spec !== undefined && region !== undefined && gpu === undefined && maxUsdPerHour === undefined) {
    return { spec, region };
  }
  const machines = fitting(await remote.client.offerings(call), call.operation, wanted);
  const [place] = placesOf(remote, machines, region);
  if (place !== undefined) return place;
  const [cheapest] = machines;
  // The list of capacity is a hint: where the caller names the region, Lambda itself decides.
  if (region !== undefined && cheapest !== undefined) return { spec: cheapest.spec, region, type: cheapest.type };
  const names = machines.map((machine) => machine.spec).join(", ");
  throw refusal("CAPACITY_ERROR", call.operation, `no configured region shows capacity for ${names}`, {
    hint: "Lambda's capacity comes and goes by the minute: try again, or name a region to try it all the same.",
  });
}

/** All places that show capacity now: by price, then in the order of the configured regions. */
export async function allPlaces(remote: LambdaRemote, call: Call, wanted: Wanted): Promise<readonly Place[]> {
  const machines = fitting(await remote.client.offerings(call), call.operation, wanted);
  return placesOf(remote, machines, wanted.region).map(({ spec, region }) => ({ spec, region }));
}

function placesOf(
  remote: LambdaRemote,
  machines: readonly Machine[],
  region: string | undefined,
): readonly Required<ChosenPlace>[] {
  const regions = region === undefined ? remote.regions : [region];
  return machines.flatMap(({ spec, type, shown }) =>
    regions.filter((name) => shown.has(name)).map((name) => ({ spec, region: name, type })),
  );
}

/** The machine types that the options allow, cheapest first; at least one, or INVALID_SPEC. */
function fitting(
  offerings: Readonly<Record<string, WireOffering>>,
  operation: Operation,
  { spec, gpu, resources, maxUsdPerHour }: Wanted,
): readonly Machine[] {
  const named = Object.values(offerings).filter(({ instance_type: { name } }) => spec === undefined || name === spec);
  if (spec !== undefined && named.length === 0) {
    throw refusal("INVALID_SPEC", operation, `spec ${JSON.stringify(spec)} is no machine type of Lambda`);
  }
  const able = named.flatMap(({ instance_type: type, regions_with_capacity_available: regions }): Machine[] => {
    const rank = rankOf(type, gpu);
    if (rank === null || !hasResources(type, resources)) return [];
    const shown = new Set(regions.map(({ name }) => name));
    return [{ spec: type.name, type, shown, rank, usdPerHour: usdPerHourOf(type) }];
  });
  if (able.length === 0) {
    const what = spec === undefined ? "no machine type of Lambda" : `spec ${JSON.stringify(spec)} is not what`;
    throw refusal("INVALID_SPEC", operation, `${what} has what ${gpu === undefined ? "resources" : "gpu"} asks for`);
  }
  const cost = ({ usdPerHour = Number.MAX_VALUE }: Machine): number => usdPerHour;
  return withinPriceCap(able, maxUsdPerHour, { refuse: refusal, operation, remote: "Lambda" }).toSorted(
    (a, b) => a.rank - b.rank || cost(a) - cost(b) || (a.spec < b.spec ? -1 : 1),
  );
}

/** `a100` is exactly `a100`, and also, after it, `a100_80gb_sxm4`. Null: it is another one. */
function rankOf(type: WireInstanceType, gpu: GpuOptions | undefined): number | null {
  if (gpu === undefined) return 0;
  if (type.specs?.gpus !== gpu.count) return null;
  if (gpu.type === undefined) return 0;
  const fit = gpuFit(gpu.type, acceleratorOf(type.name) ?? "");
  return fit === null ? null : fit === "exact" ? 0 : 1;
}

function hasResources({ specs }: WireInstanceType, resources: ResourceOptions | undefined): boolean {
  const { cpus = 0, memoryBytes = 0, diskBytes = 0 } = resources ?? {};
  return (
    (specs?.vcpus ?? 0) >= cpus &&
    (specs?.memory_gib ?? 0) * GIBIBYTE >= memoryBytes &&
    (specs?.storage_gib ?? 0) * GIBIBYTE >= diskBytes
  );
}
