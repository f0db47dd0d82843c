import type { GpuOptions, ResourceOptions } from "@slipway/core";
import { Refusal } from "./refusals.ts";
import type { Remote } from "./remote.ts";
import type { MemoryRegion, MemorySpec } from "./settings.ts";

/** What somebody wants of a machine, where no spec is named. */
export interface Wanted {
  readonly spec?: string | undefined;
  readonly resources?: ResourceOptions | undefined;
  readonly gpu?: GpuOptions | undefined;
}

export function regionOf(world: Remote, id: string): MemoryRegion {
  const found = world.settings.regions.find((region) => region.id === id);
  if (found === undefined) throw new Refusal("unknown-place", `there is no region ${JSON.stringify(id)}`);
  return found;
}

export function zoneOf(world: Remote, regionId: string, zone: string): string {
  if (!regionOf(world, regionId).zones.includes(zone)) {
    throw new Refusal("unknown-place", `there is no zone ${JSON.stringify(zone)} in ${regionId}`);
  }
  return zone;
}

/** The named spec, or the smallest that has all that is wanted. */
export function chooseSpec(world: Remote, wanted: Wanted): MemorySpec {
  if (wanted.spec !== undefined) {
    const named = world.settings.specs.find((spec) => spec.name === wanted.spec);
    if (named === undefined) {
      const known = world.settings.specs.map((spec) => spec.name).join(", ");
      throw new Refusal("unknown-spec", `there is no spec ${JSON.stringify(wanted.spec)}: there are ${known}`);
    }
    if (!hasGpus(named, wanted.gpu)) throw new Refusal("unknown-spec", `${named.name} has not the gpus asked for`);
    return named;
  }
  const fitting = world.settings.specs
    .filter((spec) => hasGpus(spec, wanted.gpu) && (wanted.gpu !== undefined || spec.gpu === undefined))
    .filter(
      (spec) =>
        spec.cpus >= (wanted.resources?.cpus ?? 0) &&
        spec.memoryBytes >= (wanted.resources?.memoryBytes ?? 0) &&
        spec.diskBytes >= (wanted.resources?.diskBytes ?? 0),
    )
    .sort((a, b) => a.cpus - b.cpus || a.memoryBytes - b.memoryBytes || (a.gpu?.count ?? 0) - (b.gpu?.count ?? 0));
  const [smallest] = fitting;
  if (smallest === undefined) throw new Refusal("unknown-spec", "no spec has all that was asked for");
  return smallest;
}

function hasGpus(spec: MemorySpec, gpu: Wanted["gpu"]): boolean {
  if (gpu === undefined) return true;
  return (
    spec.gpu !== undefined && spec.gpu.count >= gpu.count && (gpu.type === undefined || gpu.type === spec.gpu.type)
  );
}

/** What a spec costs now; null where the remote does not tell. */
export function priceOf(world: Remote, spec: MemorySpec, spot: boolean): number | null {
  const overridden = world.prices.get(spec.name);
  const full = overridden === undefined ? spec.usdPerHour : overridden;
  if (full === null) return null;
  // Whole millionths of a dollar, so that sums stay readable.
  return spot ? Math.round(full * world.spotFactor * 1e6) / 1e6 : full;
}

/** Refuses what the account may not have more of. */
export function checkQuota(world: Remote, kind: "machines" | "volumes" | "snapshots" | "gpus", more: number): void {
  const bound = world.quotas[kind];
  if (bound === undefined || more === 0) return;
  const live = world.machines.all().filter((machine) => machine.state !== "deleted");
  const have = {
    machines: () => live.length,
    gpus: () => live.reduce((sum, machine) => sum + (machine.gpu?.count ?? 0), 0),
    volumes: () => world.disks.all().length,
    snapshots: () => world.captures.all().length,
  }[kind]();
  if (have + more > bound) throw new Refusal("quota", `the account may have ${bound} ${kind} and has ${have}`);
}

/** The first of the zones with capacity for one more machine of the spec. */
export function zoneWithRoom(world: Remote, region: string, zones: readonly string[], spec: string): string {
  const live = world.machines.all().filter((machine) => machine.state !== "deleted");
  const capacity = zones.find((zone) =>
    world.capacity.every((rule) => {
      const at = (place: { region: string; zone: string; spec: string }): boolean =>
        (rule.region ?? place.region) === place.region &&
        (rule.zone ?? place.zone) === place.zone &&
        (rule.spec ?? place.spec) === place.spec;
      return !at({ region, zone, spec }) || live.filter(at).length < rule.machines;
    }),
  );
  if (capacity === undefined) throw new Refusal("no-capacity", `no ${spec} is free in ${zones.join(", ")}`);
  return capacity;
}
