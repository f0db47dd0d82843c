import type { SpotPrice } from "@slipway/core";
import { usd } from "./instance-view.ts";
import type { Column } from "./table.ts";

export const spotPriceColumns: readonly Column<SpotPrice>[] = [
  { title: "SPEC", text: (one) => one.spec },
  { title: "PLACE", text: (one) => one.zone ?? one.region },
  { title: "$/H", text: (one) => usd(one.usdPerHour) },
  { title: "SOURCE", text: (one) => one.source },
  { title: "AS OF", text: (one) => one.asOf },
];
