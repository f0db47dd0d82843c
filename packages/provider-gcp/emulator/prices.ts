import { ok, refuseMissing } from "./answers.ts";
import { EMULATED_REGIONS, EMULATED_TYPES, typeIn } from "./catalogue.ts";
import { filterOf } from "./filter.ts";
import type { Handler } from "./handler.ts";
import { pageOf } from "./paging.ts";
import { time, url } from "./views.ts";

const COMPUTE_ENGINE = "6F81-5844-456A";
const FAMILIES: readonly (readonly [text: string, coreUsd: number, ramUsd: number])[] = [
  ["E2", 0.0218, 0.0029],
  ["N1 Predefined", 0.0316, 0.0042],
  ["N2", 0.0316, 0.0042],
];

export const listMachineTypes: Handler = (world, { zone, query }) => {
  const views = EMULATED_TYPES.filter(({ name }) => typeIn(zone, name) !== undefined).map((type, i) => ({
    kind: "compute#machineType",
    id: String(3_000 + i),
    creationTimestamp: time(0),
    name: type.name,
    description: type.name,
    guestCpus: type.cpus,
    memoryMb: type.memoryMb,
    isSharedCpu: /^e2-(micro|small|medium)$/.test(type.name),
    ...(type.gpus === undefined
      ? {}
      : { accelerators: [{ guestAcceleratorType: type.gpus.type, guestAcceleratorCount: type.gpus.count }] }),
    zone,
    selfLink: url(world, `zones/${zone}/machineTypes/${type.name}`),
  }));
  const { items, nextPageToken } = pageOf(world, views.filter(filterOf(query.get("filter"))), query);
  return ok({
    kind: "compute#machineTypeList",
    id: `projects/${world.settings.project}/zones/${zone}/machineTypes`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, `zones/${zone}/machineTypes`),
  });
};

/** The Cloud Billing Catalog: cores and memory are products of their own, and many are no business of anybody here. */
export const listSkus: Handler = (world, { name, query }) => {
  if (name !== COMPUTE_ENGINE) refuseMissing(`services/${name}`);
  const all = FAMILIES.flatMap(([family, core, ram]) => [
    sku(`${family} Instance Core running in Americas`, "OnDemand", "h", core, ["us-central1", "us-east1"]),
    sku(`${family} Instance Ram running in Americas`, "OnDemand", "GiBy.h", ram, ["us-central1", "us-east1"]),
    sku(`Spot Preemptible ${family} Instance Core running in Americas`, "Preemptible", "h", core / 3, EMULATED_REGIONS),
    sku(`Commitment v1: ${family} Cpu in Americas for 1 Year`, "Commit1Yr", "h", core / 2, EMULATED_REGIONS),
  ]);
  const { items, nextPageToken } = pageOf(
    world,
    all,
    new URLSearchParams({
      ...Object.fromEntries(query),
      maxResults: String(Math.min(500, Number(query.get("pageSize") ?? 500))),
    }),
  );
  return ok({ skus: items, nextPageToken: nextPageToken ?? "" });
};

function sku(
  description: string,
  usageType: string,
  usageUnit: string,
  usd: number,
  serviceRegions: readonly string[],
) {
  const skuId = Buffer.from(description).toString("hex").slice(0, 12).toUpperCase();
  const unitPrice = { currencyCode: "USD", units: "0", nanos: Math.round(usd * 1e9) };
  return {
    name: `services/${COMPUTE_ENGINE}/skus/${skuId}`,
    skuId,
    description,
    category: { serviceDisplayName: "Compute Engine", resourceFamily: "Compute", resourceGroup: "CPU", usageType },
    serviceRegions,
    pricingInfo: [
      { pricingExpression: { usageUnit, displayQuantity: 1, tieredRates: [{ startUsageAmount: 0, unitPrice }] } },
    ],
    serviceProviderName: "Google",
  };
}
