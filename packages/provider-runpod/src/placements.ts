import type { Operation } from "@slipway/core";
import { type Call, withinPriceCap } from "@slipway/provider-kit/driver";
import type { RunpodContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { checkedVcpus, cpuMachines, cpuSpec, gpuMachines, type Machine } from "./machines.ts";
import type { RunpodSpawnOptions } from "./request.ts";
import type { Cloud, WireOffered } from "./wire.ts";

/** Where a spawn can go: one machine in one data centre of one cloud. */
export interface Place {
  readonly machine: Pick<Machine, "spec" | "cloud" | "gpu" | "cpu">;
  /** Undefined where RunPod tells no data centre: it then chooses by itself. */
  readonly dataCenter: string | undefined;
}

export type Wanted = Pick<RunpodSpawnOptions, "spec" | "gpu" | "resources" | "region" | "cloud" | "maxUsdPerHour">;

/** A machine, and where the catalog shows stock of it. */
export interface Offer {
  readonly machine: Machine;
  readonly places: readonly { readonly dataCenter: string | undefined; readonly stock: number }[];
}

// Best first; a word of the future counts as a little stock.
const STOCK: ReadonlyMap<string, number> = new Map([
  ["HIGH", 0],
  ["MEDIUM", 1],
  ["LOW", 2],
  ["NONE", Number.POSITIVE_INFINITY],
]);

function stockOf(availability: string | undefined): number {
  return availability === undefined ? Number.POSITIVE_INFINITY : (STOCK.get(availability) ?? 3);
}

/** The one place of a spawn, fixed before the request. Asks the catalog only for what the options leave open. */
export async function choosePlace(context: RunpodContext, call: Call, wanted: Wanted): Promise<Place> {
  const { region } = wanted;
  if (region !== undefined) await checkDataCenter(context, call, region);
  const known = writtenOut(context, call.operation, wanted);
  if (known !== null) return known;

  const offers = await offersFor(context, call, wanted);
  const [place] = sorted(context, offers, region);
  if (place !== undefined) return place;
  const [cheapest] = offers;
  // The stock that the catalog shows is a hint: where the caller names the data centre, RunPod itself decides.
  if (region !== undefined && cheapest !== undefined) return { machine: cheapest.machine, dataCenter: region };
  const names = offers.map(({ machine }) => machine.spec).join(", ");
  throw refusal("CAPACITY_ERROR", call.operation, `the catalog shows no stock of ${names} where pods may be`, {
    hint: "Stock comes and goes by the minute: try again, or name a region to try it all the same.",
  });
}

/** All places that show stock now, best first. */
export async function allPlaces(context: RunpodContext, call: Call, wanted: Wanted): Promise<readonly Place[]> {
  return sorted(context, await offersFor(context, call, wanted), wanted.region);
}

/** The place, if the options leave nothing open. */
function writtenOut(context: RunpodContext, operation: Operation, wanted: Wanted): Place | null {
  const { spec, gpu, region, maxUsdPerHour } = wanted;
  if (spec === undefined || region === undefined || maxUsdPerHour !== undefined || gpu?.type !== undefined) return null;
  const clouds = cloudsOf(context, wanted);
  const cpu = cpuSpec(spec);
  if (cpu !== null) {
    if (cpu.vcpuCount === undefined || !clouds.includes("SECURE") || gpu !== undefined) return null;
    const vcpuCount = checkedVcpus(cpu.vcpuCount, operation);
    return { machine: { spec, cloud: "SECURE", cpu: { id: cpu.id, vcpuCount } }, dataCenter: region };
  }
  const [cloud, ...others] = clouds;
  if (cloud === undefined || others.length > 0) return null;
  return { machine: { spec, cloud, gpu: { id: spec, count: gpu?.count ?? 1 } }, dataCenter: region };
}

/** The whole catalog: each GPU once, and each CPU flavour at its smallest. */
export async function allOffers(context: RunpodContext, call: Call): Promise<readonly Offer[]> {
  const gpus = await gpuOffers(context, call, {});
  return context.clouds.includes("SECURE") ? [...gpus, ...(await cpuOffers(context, call, {}))] : gpus;
}

/** Cheapest first: whoever asks for any GPU shall not pay for the dearest because more of it are left. */
function sorted(context: RunpodContext, offers: readonly Offer[], region: string | undefined): readonly Place[] {
  const allowed = region === undefined ? context.dataCenters : [region];
  const order = (dataCenter: string | undefined): number => allowed?.indexOf(dataCenter ?? "") ?? 0;
  return offers
    .flatMap(({ machine, places }) => places.map((place) => ({ machine, ...place })))
    .filter(({ stock, dataCenter }) => stock < Number.POSITIVE_INFINITY && order(dataCenter) !== -1)
    .sort(
      (a, b) =>
        byPrice(a.machine, b.machine) || a.stock - b.stock || order(a.dataCenter) - order(b.dataCenter) || byName(a, b),
    )
    .map(({ machine, dataCenter }) => ({ machine, dataCenter }));
}

function byPrice(a: Machine, b: Machine): number {
  const cost = ({ usdPerHour = Number.MAX_VALUE }: Machine): number => usdPerHour;
  return a.rank - b.rank || cost(a) - cost(b);
}

function byName(
  a: { readonly machine: Machine; readonly dataCenter: string | undefined },
  b: { readonly machine: Machine; readonly dataCenter: string | undefined },
): number {
  const [left, right] = [a, b].map(({ machine, dataCenter }) => `${machine.spec} ${dataCenter ?? ""}`);
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/** What the catalog has of what the options allow, cheapest first; at least one, or INVALID_SPEC. */
async function offersFor(context: RunpodContext, call: Call, wanted: Wanted): Promise<readonly Offer[]> {
  const isCpu = cpuSpec(wanted.spec) !== null || (wanted.spec === undefined && wanted.gpu === undefined);
  if (isCpu && wanted.gpu !== undefined) throw nothingFits(call.operation, wanted);
  const offers = isCpu ? await cpuOffers(context, call, wanted) : await gpuOffers(context, call, wanted);
  if (offers.length === 0) throw nothingFits(call.operation, wanted);
  const machines = withinPriceCap(
    offers.map(({ machine }) => machine),
    wanted.maxUsdPerHour,
    { refuse: refusal, operation: call.operation, remote: "RunPod" },
  );
  const payable = new Set(machines);
  return offers.filter(({ machine }) => payable.has(machine)).toSorted((a, b) => byPrice(a.machine, b.machine));
}

async function gpuOffers(context: RunpodContext, call: Call, wanted: Wanted): Promise<readonly Offer[]> {
  const found: Offer[] = [];
  for (const cloud of cloudsOf(context, wanted)) {
    const types = await context.client.gpuTypes(call, cloud, wanted.gpu?.count ?? 1);
    const byId = new Map(types.map((type) => [type.id, type]));
    for (const machine of gpuMachines(types, cloud, wanted)) {
      const { dataCenters, availability } = byId.get(machine.spec) ?? {};
      // Community hosts may stand in no data centre.
      const anywhere = context.dataCenters === undefined && (dataCenters ?? []).length === 0;
      const places = anywhere
        ? [{ dataCenter: undefined, stock: stockOf(availability) }]
        : (dataCenters ?? []).map(({ id, availability: here }) => ({ dataCenter: id, stock: stockOf(here) }));
      found.push({ machine, places });
    }
  }
  return found;
}

async function cpuOffers(context: RunpodContext, call: Call, wanted: Wanted): Promise<readonly Offer[]> {
  if (!cloudsOf(context, wanted).includes("SECURE")) {
    throw refusal("INVALID_SPEC", call.operation, "cloud is COMMUNITY, and CPU pods are in the Secure Cloud alone");
  }
  const machines = cpuMachines(await context.client.cpuTypes(call), call.operation, wanted);
  if (machines.length === 0) return [];
  const centres = await context.client.dataCenters(call);
  return machines.map((machine) => ({
    machine,
    places: centres.map(({ id, cpuAvailability = [] }) => ({
      dataCenter: id,
      stock: stockOf(availabilityOf(cpuAvailability, machine.cpu?.id)),
    })),
  }));
}

function availabilityOf(offered: readonly WireOffered[], id: string | undefined): string | undefined {
  return offered.find((each) => each.id === id)?.availability;
}

function nothingFits(operation: Operation, { spec, gpu }: Wanted): Error {
  const asked = spec === undefined ? (gpu === undefined ? "resources" : "gpu") : `spec ${JSON.stringify(spec)}`;
  const which = spec !== undefined && gpu !== undefined ? `${asked} with that gpu` : asked;
  return refusal("INVALID_SPEC", operation, `RunPod's catalog has nothing for ${which}`, {
    hint: 'Specs are GPU type ids as "NVIDIA L4", or CPU flavours with their vCPUs as "cpu5c-4".',
  });
}

function cloudsOf(context: RunpodContext, { cloud }: Pick<Wanted, "cloud">): readonly Cloud[] {
  return cloud === undefined ? context.clouds : [cloud];
}

/** RunPod calls a data centre that it does not have a lack of capacity, which no waiting would end. */
async function checkDataCenter(context: RunpodContext, call: Call, region: string): Promise<void> {
  if (context.dataCenters !== undefined) return;
  const centres = await context.client.dataCenters(call);
  if (centres.some(({ id }) => id === region)) return;
  throw refusal("INVALID_SPEC", call.operation, `region ${JSON.stringify(region)} is no data centre of RunPod's`);
}
