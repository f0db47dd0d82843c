import {
  abortError,
  type BaseSpawnOptions,
  canListOfferings,
  type InstanceResources,
  type Offering,
  type Price,
  type Provider,
  type SpotMethods,
} from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";

/** What a machine must have, wherever it runs. */
export interface Need {
  /** Exactly so many (1 if absent) of this kind, by any name that `gpuFit` knows; of any kind if there is no type. */
  readonly gpu?: { readonly type?: string | undefined; readonly count?: number | undefined } | undefined;
  /** At least. */
  readonly cpus?: number | undefined;
  /** At least. */
  readonly memoryBytes?: number | undefined;
  /** Only in these regions, as their providers name them. */
  readonly regions?: readonly string[] | undefined;
  /** Interruptible capacity, at the price that it has now. */
  readonly spot?: boolean | undefined;
  /** Nothing that costs more, and nothing whose price is not known. */
  readonly maxUsdPerHour?: number | undefined;
}

/** Where a machine could run: one machine type in one region of one provider. */
export interface Place {
  readonly provider: string;
  readonly spec: string;
  /** Absent where the provider has no regions, or tells of none. */
  readonly region?: string;
  readonly resources?: InstanceResources;
  /** Absent where the price is unknown. */
  readonly price?: Price;
}

/** Why something is not among the places: a whole provider, or one machine type of it. */
export interface Unfit {
  readonly provider: string;
  readonly spec?: string;
  readonly reason: string;
}

/** What there is to choose from now. */
export interface Places {
  /** In the order in which they are tried. */
  readonly places: readonly Place[];
  /** Providers that cannot be asked, and machine types that are what is needed but sold out, too dear or without a price. */
  readonly unfit: readonly Unfit[];
}

/** Sorts places, and may leave some out. Ties keep their order: the providers', then the regions'. */
export type PlaceOrder = (places: readonly Place[]) => readonly Place[];

const usdOf = ({ price }: Place): number => price?.usdPerHour ?? Number.MAX_VALUE;

/**
 * The default: by price; what has none comes last.
 *
 * @example
 * ```ts
 * import { findPlaces } from "@slipway/control";
 *
 * await findPlaces([provider], { cpus: 2 }, { order: cheapestFirst });
 * ```
 */
export const cheapestFirst: PlaceOrder = (places) => places.toSorted((a, b) => usdOf(a) - usdOf(b));

export interface FindOptions {
  readonly order?: PlaceOrder | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/**
 * Asks all providers what they sell, and matches it against the need. Launches nothing. A provider that cannot be asked is
 * among the `unfit`, and keeps none of the others waiting.
 *
 * @example
 * ```ts
 * const { places, unfit } = await findPlaces([provider], { gpu: { type: "a10", count: 1 } });
 * for (const { provider: name, spec, price } of places) console.log(name, spec, price);
 * console.log(unfit.length, "cannot take it");
 * ```
 */
export async function findPlaces(
  providers: readonly Provider[],
  need: Need,
  { order = cheapestFirst, signal, timeoutMs = ASK_MS }: FindOptions = {},
): Promise<Places> {
  const asked = await Promise.all(providers.map((provider) => placesOf(provider, need, { signal, timeoutMs })));
  if (signal?.aborted === true) {
    throw abortError(signal, { provider: "anywhere", operation: "findPlaces", effect: "none" });
  }
  return {
    places: order(asked.flatMap(({ places }) => places)),
    unfit: asked.flatMap(({ unfit }) => unfit),
  };
}

const ASK_MS = 60_000;

interface Call {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

async function placesOf(provider: Provider, need: Need, call: Call): Promise<Places> {
  const none = (reason: string): Places => ({ places: [], unfit: [{ provider: provider.name, reason }] });
  if (!canListOfferings(provider)) return none("it does not list what it offers");
  const { spot = false } = need;
  if (spot && !hasSpotPrices(provider)) return none(provider.whyNot.spot ?? "it has no spot instances");
  try {
    const offerings = await provider.listOfferings(call);
    const prices = spot && hasSpotPrices(provider) ? await spotPrices(provider, call) : null;
    return matched(provider.name, offerings, need, prices);
  } catch (error) {
    return none(`it cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** By machine type and region. */
type SpotPrices = ReadonlyMap<string, Price>;

function hasSpotPrices(provider: Provider): provider is Provider & Pick<SpotMethods<never>, "getSpotPrices"> {
  return provider.capabilities.spot && "getSpotPrices" in provider && typeof provider.getSpotPrices === "function";
}

async function spotPrices(provider: Pick<SpotMethods<never>, "getSpotPrices">, call: Call): Promise<SpotPrices> {
  const cheapest = new Map<string, Price>();
  for (const { spec, region, zone: _zone, ...price } of await provider.getSpotPrices({}, call)) {
    const id = `${spec}\n${region}`;
    const before = cheapest.get(id);
    if (before === undefined || price.usdPerHour < before.usdPerHour) cheapest.set(id, price);
  }
  return cheapest;
}

function matched(provider: string, offerings: readonly Offering[], need: Need, spot: SpotPrices | null): Places {
  const places = new Map<string, Place>();
  const unfit: Unfit[] = [];
  for (const offering of offerings) {
    if (!fits(offering.resources, need)) continue;
    const { spec, resources } = offering;
    const regions = need.regions === undefined ? offering.regions : offering.regions?.filter(isIn(need.regions));
    if (regions?.length === 0) {
      const sold =
        offering.regions?.length === 0 ? "sold out" : "sold out, or not sold, in the regions that are wanted";
      unfit.push({ provider, spec, reason: sold });
      continue;
    }
    // Where a remote tells of no region, it chooses one itself: a region that is wanted is asked for by name.
    for (const region of regions ?? need.regions ?? [undefined]) {
      const price = spot === null ? offering.price : spot.get(`${spec}\n${region ?? ""}`);
      const why = tooDear(price, need.maxUsdPerHour);
      if (why !== null) {
        unfit.push({ provider, spec, reason: region === undefined ? why : `${why} in ${region}` });
        continue;
      }
      const place: Place = {
        provider,
        spec,
        ...(region === undefined ? {} : { region }),
        ...(resources === undefined ? {} : { resources }),
        ...(price === undefined ? {} : { price }),
      };
      // One machine type may be sold twice in one region; the spawn takes the cheaper one.
      const id = `${spec}\n${region ?? ""}`;
      const before = places.get(id);
      if (before === undefined || usdOf(place) < usdOf(before)) places.set(id, place);
    }
  }
  return { places: [...places.values()], unfit };
}

const isIn =
  (wanted: readonly string[]) =>
  (name: string): boolean =>
    wanted.includes(name);

/** What a remote does not tell of a machine type is not taken for granted. */
function fits(resources: InstanceResources = {}, { gpu, cpus = 0, memoryBytes = 0 }: Need): boolean {
  if ((resources.cpus ?? 0) < cpus || (resources.memoryBytes ?? 0) < memoryBytes) return false;
  if (gpu === undefined) return true;
  const { gpus } = resources;
  if (gpus === undefined || gpus.count !== (gpu.count ?? 1)) return false;
  return gpu.type === undefined || gpuFit(gpu.type, gpus.type) !== null;
}

function tooDear(price: Price | undefined, most: number | undefined): string | null {
  if (most === undefined) return null;
  if (price === undefined) return "its price is not known";
  return price.usdPerHour > most ? `${price.usdPerHour} US dollars an hour` : null;
}

/** What is needed, and what every place is asked for alike. */
export interface AnywhereOptions
  extends Need,
    Pick<
      BaseSpawnOptions,
      "name" | "image" | "bootstrap" | "ports" | "sshKeys" | "labels" | "expiresAt" | "signal" | "timeoutMs"
    > {
  /** One instance of this key, over all providers. */
  readonly key: string;
}

/**
 * What a place's provider is asked for. The same options and place give the same request.
 *
 * @example
 * ```ts
 * import { findPlaces } from "@slipway/control";
 *
 * const need = { key: "worker-1", cpus: 2 };
 * const { places } = await findPlaces([provider], need);
 * for (const place of places) console.log(requestAt(need, provider, place));
 * ```
 */
export function requestAt(wanted: AnywhereOptions, provider: Provider, place: Place): BaseSpawnOptions {
  const { key, name, image, bootstrap, ports, sshKeys, labels, expiresAt, gpu, spot = false, maxUsdPerHour } = wanted;
  const isCapped = maxUsdPerHour !== undefined && provider.refuses.maxUsdPerHour === undefined && !spot;
  const options: BaseSpawnOptions = {
    ...{ key, name, image, bootstrap, ports, sshKeys, labels, expiresAt, spec: place.spec },
    ...(isCapped ? { maxUsdPerHour } : {}),
  };
  const { multiRegion, gpu: hasGpus } = provider.capabilities;
  return Object.assign(
    options,
    multiRegion && place.region !== undefined ? { region: place.region } : {},
    // Some machine types are nodes, of which an instance takes a part.
    hasGpus && gpu !== undefined ? { gpu: { count: gpu.count ?? 1 } } : {},
    spot ? { spot: maxUsdPerHour === undefined ? {} : { maxUsdPerHour } } : {},
  );
}
