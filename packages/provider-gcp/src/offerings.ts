import { type CallOptions, type Offering, type Price } from "@slipway/core";
import { type Call, cheapestFirst, present } from "@slipway/provider-kit/driver";
import { type GcpRemote, regionOf } from "./remote.ts";
import type { WireMachineType, WireSku } from "./wire-prices.ts";

/** A machine type with its price in one region. */
export interface GcpOffering extends Offering {
  readonly regions: readonly string[];
}

type Kind = "core" | "ram";
/** US dollars an hour, of a core or a GiB of one family in one region; null where Google's catalogue says two things. */
type Rates = ReadonlyMap<string, number | null>;

// Prices change a few times a year, and the catalogue has many pages.
const KEPT_MS = 12 * 3_600_000;
// Which family a SKU is of stands in its text alone. What does not read so is not understood, and has no price here.
const TEXT = /^([A-Z]\d[A-Z]?) (?:AMD |Arm )?(?:Predefined )?Instance (Core|Ram) running in /;
const UNITS: Readonly<Record<Kind, string>> = { core: "h", ram: "GiBy.h" };

export function offeringMethods(remote: GcpRemote): {
  readonly listOfferings: (call?: CallOptions) => Promise<readonly GcpOffering[]>;
} {
  let held: { readonly at: number; readonly rates: Rates } | null = null;
  const ratesOf = async (call: Call) => {
    if (held !== null && remote.clock.now() - held.at < KEPT_MS) return held;
    const at = remote.clock.now();
    held = { at, rates: ratesIn(await remote.client.skus(call)) };
    return held;
  };
  return {
    listOfferings: async ({ signal } = {}) => {
      const call: Call = { operation: "listOfferings", signal };
      const { at, rates } = await ratesOf(call);
      const found = new Map<string, GcpOffering>();
      for (const zone of remote.zones) {
        for (const type of await remote.client.machineTypes(call, zone)) {
          const offering = offeringOf(type, regionOf(zone), at, rates);
          if (offering !== null) found.set(`${type.name} ${regionOf(zone)}`, offering);
        }
      }
      return cheapestFirst([...found.values()]);
    },
  };
}

function offeringOf(type: WireMachineType, region: string, at: number, rates: Rates): GcpOffering | null {
  const { name, guestCpus, memoryMb, accelerators = [], deprecated } = type;
  if (deprecated === true) return null;
  const [gpu] = accelerators;
  return {
    spec: name,
    resources: { cpus: guestCpus, memoryBytes: memoryMb * 1024 ** 2, ...present({ gpus: gpu }) },
    ...present({ price: priceOf(type, region, at, rates) }),
    regions: [region],
  };
}

/** Cores and memory are sold apart. A shared core is a part of one, and what has accelerators or disks built in costs more. */
function priceOf(type: WireMachineType, region: string, at: number, rates: Rates): Price | undefined {
  const { name, guestCpus, memoryMb, isSharedCpu = false, accelerators = [], hasLocalSsds } = type;
  if (isSharedCpu || hasLocalSsds || accelerators.length > 0) return undefined;
  const family = name.slice(0, name.indexOf("-"));
  const [core, ram] = (["core", "ram"] as const).map((kind) => rates.get(`${family} ${kind} ${region}`));
  if (core === undefined || core === null || ram === undefined || ram === null) return undefined;
  const usdPerHour = core * guestCpus + (ram * memoryMb) / 1_024;
  return { usdPerHour, per: "instance", asOf: new Date(at).toISOString(), source: "live" };
}

function ratesIn(skus: readonly WireSku[]): Rates {
  const rates = new Map<string, number | null>();
  for (const sku of skus) {
    const [, family = "", what] = TEXT.exec(sku.description) ?? [];
    if (what === undefined || sku.category?.usageType !== "OnDemand") continue;
    const kind: Kind = what === "Core" ? "core" : "ram";
    const usd = hourly(sku, kind);
    for (const region of sku.serviceRegions ?? []) {
      const name = `${family.toLowerCase()} ${kind} ${region}`;
      const before = rates.get(name);
      rates.set(name, before === undefined || before === usd ? usd : null);
    }
  }
  return rates;
}

/** Null for anything but one rate in US dollars for the unit that is expected. */
function hourly({ pricingInfo = [] }: WireSku, kind: Kind): number | null {
  const expression = pricingInfo.at(-1)?.pricingExpression;
  const rates = expression?.tieredRates ?? [];
  const { units = "0", nanos = 0, currencyCode } = rates[0]?.unitPrice ?? {};
  const usd = Number(units) + nanos / 1e9;
  const isKnown = expression?.usageUnit === UNITS[kind] && rates.length === 1 && currencyCode === "USD" && usd > 0;
  return isKnown ? usd : null;
}
