import type { Schema } from "@slipway/core";
import * as z from "zod/mini";
import type { WirePage } from "./wire.ts";

// What Google answers about machine types and their prices, as little of it as is used.

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

const machineType = z.pipe(
  z.object({
    name: text.check(z.minLength(1)),
    guestCpus: z.number().check(z.positive()),
    memoryMb: z.number().check(z.positive()),
    isSharedCpu: absent(z.boolean()),
    deprecated: absent(z.object({ state: absent(text) })),
    accelerators: absent(z.array(z.object({ guestAcceleratorType: text, guestAcceleratorCount: z.number() }))),
    bundledLocalSsds: absent(z.object({ partitionCount: absent(z.number()) })),
  }),
  z.transform(({ deprecated, accelerators, bundledLocalSsds, ...rest }) => ({
    ...rest,
    deprecated: deprecated?.state !== undefined && deprecated.state !== "ACTIVE",
    accelerators: accelerators?.map((one) => ({ type: one.guestAcceleratorType, count: one.guestAcceleratorCount })),
    hasLocalSsds: bundledLocalSsds !== undefined,
  })),
);

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
export const machineTypesAnswer: Schema<WirePage<WireMachineType>> = z.object({
  items: absent(z.array(machineType)),
  nextPageToken: absent(text),
  warning: absent(z.object({ code: absent(text) })),
});

export interface WireMachineType {
  readonly name: string;
  readonly guestCpus: number;
  readonly memoryMb: number;
  readonly isSharedCpu?: boolean | undefined;
  readonly deprecated?: boolean | undefined;
  readonly accelerators?: readonly { readonly type: string; readonly count: number }[] | undefined;
  readonly hasLocalSsds: boolean;
}
