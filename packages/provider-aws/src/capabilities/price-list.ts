import * as z from "zod/mini";

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
export interface ListedPrice {
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
