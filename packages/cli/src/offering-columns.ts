import type { Offering } from "@slipway/core";
import { resourcesOf, usd } from "./instance-view.ts";
import type { Column } from "./table.ts";

export const offeringColumns: readonly Column<Offering>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "RESOURCES", text: (one) => resourcesOf(one) ?? "" },
  { title: "$/H", text: (one) => (one.price === undefined ? "not told" : usd(one.price.usdPerHour)) },
  { title: "AVAILABLE IN", text: availability, tone: (one) => (one.regions?.length === 0 ? "quiet" : undefined) },
  { title: "SOURCE", text: (one) => one.price?.source ?? "" },
  { title: "AS OF", text: (one) => one.price?.asOf ?? "" },
];

function availability({ regions }: Offering): string {
  if (regions === undefined) return "not told";
  return regions.length === 0 ? "sold out" : regions.join(", ");
}
