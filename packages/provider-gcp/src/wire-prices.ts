import type { Schema } from "@slipway/core";
import * as z from "zod/mini";

// What Google answers about prices, as little of it as is used.

const absent = <T extends z.ZodMiniType>(schema: T) =>
  z.pipe(
    z.nullish(schema),
    z.transform((value) => value ?? undefined),
  );
const text = z.string();
const money = z.object({ currencyCode: absent(text), units: absent(text), nanos: absent(z.number()) });
const capacityHistory = z.object({
  priceHistory: absent(
    z.array(
      z.object({
        interval: absent(z.object({ startTime: absent(text), endTime: absent(text) })),
        listPrice: absent(money),
      }),
    ),
  ),
});

const sku = z.object({
  description: text,
  category: absent(z.object({ usageType: absent(text) })),
  serviceRegions: absent(z.array(text)),
  pricingInfo: absent(
    z.array(
      z.object({
        pricingExpression: absent(
          z.object({ usageUnit: absent(text), tieredRates: absent(z.array(z.object({ unitPrice: absent(money) }))) }),
        ),
      }),
    ),
  ),
});

interface WireMoney {
  readonly currencyCode?: string | undefined;
  readonly units?: string | undefined;
  readonly nanos?: number | undefined;
}

/** A product of Google's price list. */
export interface WireSku {
  readonly description: string;
  readonly category?: { readonly usageType?: string | undefined } | undefined;
  readonly serviceRegions?: readonly string[] | undefined;
  readonly pricingInfo?:
    | readonly {
        readonly pricingExpression?:
          | {
              readonly usageUnit?: string | undefined;
              readonly tieredRates?: readonly { readonly unitPrice?: WireMoney | undefined }[] | undefined;
            }
          | undefined;
      }[]
    | undefined;
}

export interface WireSkus {
  readonly skus?: readonly WireSku[] | undefined;
  readonly nextPageToken?: string | undefined;
}

export interface WireCapacityHistory {
  readonly priceHistory?:
    | readonly {
        readonly interval?: { readonly startTime?: string | undefined } | undefined;
        readonly listPrice?: WireMoney | undefined;
      }[]
    | undefined;
}

export const skusAnswer: Schema<WireSkus> = z.object({ skus: absent(z.array(sku)), nextPageToken: absent(text) });
export const capacityHistoryAnswer: Schema<WireCapacityHistory> = capacityHistory;
