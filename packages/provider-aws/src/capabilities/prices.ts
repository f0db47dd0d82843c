import type { CallOptions, Offering, Price } from "@slipway/core";
import { cheapestFirst } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import { everyPage } from "../call.ts";
import type { AwsContext, Call } from "../context.ts";
import { gpusOf } from "./gpu.ts";

/** Prices change a few times a year; AWS's own autoscaler asks twice a day. */
const KEPT_MS = 12 * 3_600_000;
const PAGE = 100;

/** An AWS machine type with its price in one region. */
export interface AWSOffering extends Offering {
  readonly regions: readonly string[];
}

export function offeringMethods(context: AwsContext): {
  readonly listOfferings: (call?: CallOptions) => Promise<readonly AWSOffering[]>;
} {
  return {
    listOfferings: async ({ signal } = {}) => {
      const call = { operation: "listOfferings", signal };
      const offerings: AWSOffering[] = [];
      for (const region of context.regions) {
        const { at, prices } = await pricesOf(context, call, region);
        offerings.push(...prices.map((listed) => offeringFrom(region, at, listed)));
      }
      return cheapestFirst(offerings);
    },
  };
}

// AWS's list prices on 2026-11-29: a public IPv4 address, and gp3 in us-east-1, up to twice as much elsewhere.
const PUBLIC_IPV4_USD_PER_HOUR = 0.005;
const GP3_USD_PER_GIB_MONTH = 0.08;
const HOURS_PER_MONTH = 730;

/** What an hour of an instance costs beside its machine type: the price list has each of them as a product of its own. */
export function besideTheMachine({
  publicAddress,
  diskGib,
}: {
  readonly publicAddress: boolean;
  readonly diskGib: number;
}): number {
  return (publicAddress ? PUBLIC_IPV4_USD_PER_HOUR : 0) + (diskGib * GP3_USD_PER_GIB_MONTH) / HOURS_PER_MONTH;
}

/** What an hour on demand costs: Linux, shared hardware, nothing preinstalled. Undefined where AWS lists no price. */
export async function onDemandPrice(
  context: AwsContext,
  call: Call,
  region: string,
  instanceType: string,
): Promise<Price | undefined> {
  const { at, prices } = await pricesOf(context, call, region, instanceType);
  const found = prices.find((one) => one.instanceType === instanceType);
  return found === undefined ? undefined : priceFrom(at, found);
}

/** Asks again, whatever is remembered: for the heartbeat's `refresh_prices`. Answers how many prices there are. */
export async function refreshPrices(context: AwsContext, call: Call): Promise<number> {
  context.prices.clear();
  let count = 0;
  for (const region of context.regions) count += (await pricesOf(context, call, region)).prices.length;
  return count;
}

async function pricesOf(context: AwsContext, call: Call, region: string, instanceType?: string): Promise<AskedPrices> {
  const now = context.clock.now();
  // A whole region's answer serves for each of its types too.
  for (const name of [region, `${region}/${instanceType ?? ""}`]) {
    const known = context.prices.get(name);
    if (known !== undefined && now - known.at < KEPT_MS) return known;
  }
  const asked: AskedPrices = { at: now, prices: await ask(context, call, region, instanceType) };
  context.prices.set(instanceType === undefined ? region : `${region}/${instanceType}`, asked);
  return asked;
}

async function ask(
  context: AwsContext,
  call: Call,
  region: string,
  instanceType: string | undefined,
): Promise<readonly ListedPrice[]> {
  const wanted: Readonly<Record<string, string | undefined>> = {
    regionCode: region,
    instanceType,
    operatingSystem: "Linux",
    preInstalledSw: "NA",
    capacitystatus: "Used",
    tenancy: "Shared",
    marketoption: "OnDemand",
  };
  const Filters = Object.entries(wanted).flatMap(([Field, Value]) =>
    Value === undefined ? [] : [{ Type: "TERM_MATCH" as const, Field, Value }],
  );
  const input = { ServiceCode: "AmazonEC2", Filters, MaxResults: PAGE };
  const entries = await everyPage(
    call,
    (token) => context.client.pricing(call, "GetProducts", { ...input, ...token }),
    (page) => page.PriceList,
  );
  return cheapestOfEach(entries.flatMap((text) => listedPrice(String(text)) ?? []));
}

/** A type may be listed more than once, as with and without a licence that is included. */
function cheapestOfEach(prices: readonly ListedPrice[]): readonly ListedPrice[] {
  const best = new Map<string, ListedPrice>();
  for (const price of prices) {
    const before = best.get(price.instanceType);
    if (before === undefined || price.usdPerHour < before.usdPerHour) best.set(price.instanceType, price);
  }
  return [...best.values()];
}

function offeringFrom(region: string, at: number, listed: ListedPrice): AWSOffering {
  const { instanceType, cpus, memoryBytes } = listed;
  const gpus = gpusOf(instanceType);
  return {
    spec: instanceType,
    resources: {
      ...(cpus === undefined ? {} : { cpus }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(gpus === undefined ? {} : { gpus }),
    },
    price: priceFrom(at, listed),
    regions: [region],
  };
}

function priceFrom(at: number, { usdPerHour }: ListedPrice): Price {
  return { usdPerHour, per: "instance", asOf: new Date(at).toISOString(), source: "live" };
}

/** One entry of the Pricing API's list: JSON in a string, of which this much is read. */
const entry = z.object({
  product: z.object({
    attributes: z.looseObject({
      instanceType: z.string(),
      regionCode: z.optional(z.string()),
      vcpu: z.optional(z.string()),
      memory: z.optional(z.string()),
      gpu: z.optional(z.string()),
    }),
  }),
  terms: z.optional(
    z.object({
      OnDemand: z.optional(
        z.record(
          z.string(),
          z.object({
            effectiveDate: z.optional(z.string()),
            priceDimensions: z.record(
              z.string(),
              z.object({ unit: z.optional(z.string()), pricePerUnit: z.object({ USD: z.optional(z.string()) }) }),
            ),
          }),
        ),
      ),
    }),
  ),
});

/** What an hour of a machine type costs on demand. */
interface ListedPrice {
  readonly instanceType: string;
  readonly region: string | undefined;
  readonly usdPerHour: number;
  readonly cpus?: number;
  readonly memoryBytes?: number;
}

/** What was asked of the price list, and when. */
export interface AskedPrices {
  readonly at: number;
  readonly prices: readonly ListedPrice[];
}

const GIB = 1024 ** 3;

/**
 * The on-demand price in an entry; undefined where there is none that can be one: reserved capacity and bundles are
 * listed with 0.0, and a free machine would win every comparison.
 */
export function listedPrice(text: string): ListedPrice | undefined {
  const parsed = entry.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const { attributes } = parsed.data.product;
  const terms = Object.values(parsed.data.terms?.OnDemand ?? {});
  const dimensions = terms.flatMap(({ priceDimensions }) => Object.values(priceDimensions));
  const hourly = dimensions.filter(({ unit }) => unit === undefined || unit === "Hrs");
  const prices = hourly
    .map(({ pricePerUnit }) => Number(pricePerUnit.USD))
    .filter((usd) => Number.isFinite(usd) && usd > 0);
  if (prices.length === 0) return undefined;
  return {
    instanceType: attributes.instanceType,
    region: attributes.regionCode,
    usdPerHour: Math.min(...prices),
    ...numbers(attributes.vcpu, attributes.memory),
  };
}

function numbers(vcpu: string | undefined, memory: string | undefined): Pick<ListedPrice, "cpus" | "memoryBytes"> {
  const cpus = Number(vcpu);
  const gib = /^([\d,.]+) GiB$/.exec(memory ?? "")?.[1]?.replaceAll(",", "");
  return {
    ...(Number.isInteger(cpus) && cpus > 0 ? { cpus } : {}),
    ...(gib === undefined ? {} : { memoryBytes: Math.round(Number(gib) * GIB) }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
