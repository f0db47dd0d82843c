import { z } from "zod";
import { filled, flag, list, moment, type TagSpecification, tagSpecifications, text, whole } from "./action.ts";
import { type TemplateReference, templateReference } from "./launch-request.ts";

/** One place or type that a fleet may take, in the order in which it was given. */
export interface OverrideRequest {
  readonly InstanceType?: string | undefined;
  readonly SubnetId?: string | undefined;
  readonly AvailabilityZone?: string | undefined;
  readonly MaxPrice?: string | undefined;
  readonly WeightedCapacity?: number | undefined;
  readonly Priority?: number | undefined;
  readonly ImageId?: string | undefined;
}

export interface FleetRequest {
  readonly Type?: string | undefined;
  readonly ClientToken?: string | undefined;
  readonly LaunchTemplateConfigs: readonly {
    readonly LaunchTemplateSpecification: TemplateReference;
    readonly Overrides?: readonly OverrideRequest[] | undefined;
  }[];
  readonly TargetCapacitySpecification: {
    readonly TotalTargetCapacity: number;
    readonly OnDemandTargetCapacity?: number | undefined;
    readonly SpotTargetCapacity?: number | undefined;
    readonly DefaultTargetCapacityType?: string | undefined;
  };
  readonly SpotOptions?: Strategy | undefined;
  readonly OnDemandOptions?: Strategy | undefined;
  readonly TagSpecification?: readonly TagSpecification[] | undefined;
}

export interface Strategy {
  readonly AllocationStrategy?: string | undefined;
  readonly SingleInstanceType?: boolean | undefined;
  readonly SingleAvailabilityZone?: boolean | undefined;
  readonly MinTargetCapacity?: number | undefined;
}

const price = z.string().regex(/^\d+(\.\d+)?$/);
const decimal: z.ZodType<number> = price.transform(Number);

const override = z.strictObject({
  InstanceType: filled.optional(),
  SubnetId: filled.optional(),
  AvailabilityZone: filled.optional(),
  MaxPrice: price.optional(),
  WeightedCapacity: decimal.optional(),
  Priority: decimal.optional(),
  ImageId: filled.optional(),
});

const common = {
  SingleInstanceType: flag.optional(),
  SingleAvailabilityZone: flag.optional(),
  MinTargetCapacity: whole.optional(),
};

const market = z.enum(["on-demand", "spot"]);
const MOST_CONFIGS = 50;

export const fleetRequest: z.ZodType<FleetRequest> = z.strictObject({
  Type: z.enum(["instant", "request", "maintain"]).optional(),
  ClientToken: text.optional(),
  LaunchTemplateConfigs: list(
    z.strictObject({ LaunchTemplateSpecification: templateReference, Overrides: list(override).optional() }),
  ).refine((configs) => configs.length > 0 && configs.length <= MOST_CONFIGS, "Must hold 1 to 50 configurations"),
  TargetCapacitySpecification: z.strictObject({
    TotalTargetCapacity: whole,
    OnDemandTargetCapacity: whole.optional(),
    SpotTargetCapacity: whole.optional(),
    DefaultTargetCapacityType: market.optional(),
  }),
  SpotOptions: z
    .strictObject({
      ...common,
      AllocationStrategy: z
        .enum([
          "lowest-price",
          "diversified",
          "capacity-optimized",
          "capacity-optimized-prioritized",
          "price-capacity-optimized",
        ])
        .optional(),
      InstanceInterruptionBehavior: z.enum(["hibernate", "stop", "terminate"]).optional(),
    })
    .optional(),
  OnDemandOptions: z
    .strictObject({ ...common, AllocationStrategy: z.enum(["lowest-price", "prioritized"]).optional() })
    .optional(),
  ExcessCapacityTerminationPolicy: text.optional(),
  TerminateInstancesWithExpiration: flag.optional(),
  ReplaceUnhealthyInstances: flag.optional(),
  ValidFrom: moment.optional(),
  ValidUntil: moment.optional(),
  TagSpecification: tagSpecifications.optional(),
});
