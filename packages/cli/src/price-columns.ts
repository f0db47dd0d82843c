import type { Offering, SpotPrice } from "@slipway/core";
import { resourcesOf } from "./instance-view.ts";
import type { Column } from "./output.ts";
import { usd } from "./spent.ts";

export const offeringColumns: readonly Column<Offering>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "RESOURCES", text: (one) => resourcesOf(one) ?? "" },
  { title: "$/H", text: (one) => (one.price === undefined ? "not known" : usd(one.price.usdPerHour)) },
  { title: "AVAILABLE IN", text: availability, tone: (one) => (one.regions?.length === 0 ? "quiet" : undefined) },
  { title: "SOURCE", text: (one) => one.price?.source ?? "" },
  { title: "AS OF", text: (one) => one.price?.asOf ?? "" },
];

function availability({ regions }: Offering): string {
  if (regions === undefined) return "not known";
  return regions.length === 0 ? "sold out" : regions.join(", ");
}

export const spotPriceColumns: readonly Column<SpotPrice>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "PLACE", text: (one) => one.zone ?? one.region },
  { title: "$/H", text: (one) => usd(one.usdPerHour) },
  { title: "SOURCE", text: (one) => one.source },
  { title: "AS OF", text: (one) => one.asOf },
];
