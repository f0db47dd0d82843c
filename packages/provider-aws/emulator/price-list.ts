import { z } from "zod";
import { refuse } from "./answers.ts";
import { EMULATED_TYPES, type EmulatedType, isOffered } from "./catalogue.ts";
import { type JsonAction, jsonAction } from "./json-action.ts";
import type { World } from "./world.ts";

const MOST = 100;

const products = z.strictObject({
  ServiceCode: z.string(),
  Filters: z
    .array(z.strictObject({ Type: z.enum(["TERM_MATCH"]), Field: z.string(), Value: z.string() }))
    .max(50)
    .optional(),
  FormatVersion: z.literal("aws_v1").optional(),
  MaxResults: z.int().min(1).max(MOST).optional(),
  NextToken: z.string().optional(),
});

export const priceListActions: Readonly<Record<string, JsonAction>> = {
  "AWSPriceListService.GetProducts": jsonAction(
    products,
    ({ world }, { ServiceCode, Filters = [], MaxResults = MOST, NextToken }) => {
      if (ServiceCode !== "AmazonEC2") refuse("NotFoundException", `Service code ${ServiceCode} was not found.`);
      const start = NextToken === undefined ? 0 : Number(NextToken.replace(/^page-/, ""));
      if (!Number.isInteger(start)) refuse("ExpiredNextTokenException", "The pagination token expired.");
      const all = listed(world).filter(({ attributes }) =>
        Filters.every(({ Field, Value }) => attributes[Field]?.toLowerCase() === Value.toLowerCase()),
      );
      const page = all.slice(start, start + MaxResults).map(entry);
      const more = start + MaxResults < all.length;
      return { FormatVersion: "aws_v1", PriceList: page, ...(more ? { NextToken: `page-${start + MaxResults}` } : {}) };
    },
  ),
};

interface Listed {
  readonly sku: string;
  readonly usd: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Beside each price on demand stands what must not be taken for it: reserved capacity at nothing, and Windows. */
function listed(world: World): readonly Listed[] {
  return [...world.regions.values()].flatMap(({ name, zones }) =>
    EMULATED_TYPES.filter((type) => zones.some((zone) => isOffered(type, zone))).flatMap((type) => [
      product(name, type, type.usdPerHour, {}),
      product(name, type, 0, { capacitystatus: "AllocatedCapacityReservation" }),
      product(name, type, type.usdPerHour * 2, { operatingSystem: "Windows", preInstalledSw: "NA" }),
      product(name, type, type.usdPerHour * 1.1, { tenancy: "Dedicated" }),
      product(name, type, type.usdPerHour * 3, { preInstalledSw: "SQL Std" }),
    ]),
  );
}

function product(region: string, type: EmulatedType, usd: number, more: Readonly<Record<string, string>>): Listed {
  const attributes = {
    regionCode: region,
    instanceType: type.name,
    vcpu: String(type.vcpus),
    memory: `${(type.memoryMib / 1024).toLocaleString("en-US")} GiB`,
    ...(type.gpu === undefined ? {} : { gpu: String(type.gpu.count) }),
    operatingSystem: "Linux",
    preInstalledSw: "NA",
    capacitystatus: "Used",
    tenancy: "Shared",
    marketoption: "OnDemand",
    servicecode: "AmazonEC2",
    ...more,
  };
  const sku = Buffer.from(JSON.stringify([region, type.name, more]))
    .toString("hex")
    .slice(-16)
    .toUpperCase();
  return { sku, usd, attributes };
}

/** Each entry is JSON in a string. */
function entry({ sku, usd, attributes }: Listed): string {
  const dimension = {
    unit: "Hrs",
    description: `$${usd} per hour`,
    rateCode: `${sku}.JRTCKXETXF.6YS6EN2CT7`,
    beginRange: "0",
    endRange: "Inf",
    pricePerUnit: { USD: usd.toFixed(10) },
  };
  const term = { effectiveDate: "2025-11-01T00:00:00Z", sku, priceDimensions: { [dimension.rateCode]: dimension } };
  return JSON.stringify({
    product: { productFamily: "Compute Instance", sku, attributes },
    serviceCode: "AmazonEC2",
    terms: { OnDemand: { [`${sku}.JRTCKXETXF`]: term } },
    version: "20251101000000",
    publicationDate: "2025-11-01T00:00:00Z",
  });
}
