import type { Offering } from "@slipway/core";
import { type Call, cheapestFirst, present } from "@slipway/provider-kit/driver";
import { priceOf, resourcesOf } from "./instance.ts";
import type { LambdaRemote } from "./remote.ts";

/** A machine type that Lambda sells. Its price is the same in every region. */
export interface LambdaOffering extends Offering {
  /** The configured regions that show capacity now, in their order; empty where it is sold out. */
  readonly regions: readonly string[];
}

/** All machine types, cheapest first. */
export async function offeringsOf(remote: LambdaRemote, call: Call): Promise<readonly LambdaOffering[]> {
  const sold = Object.values(await remote.client.offerings(call));
  return cheapestFirst(
    sold.map(({ instance_type: type, regions_with_capacity_available: shown }) => ({
      spec: type.name,
      ...present({ resources: resourcesOf(type), price: priceOf(type, remote.clock) }),
      regions: remote.regions.filter((name) => shown.some((region) => region.name === name)),
    })),
  );
}
