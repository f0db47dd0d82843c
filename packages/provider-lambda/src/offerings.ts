import type { Offering } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { priceOf, resourcesOf } from "./instance.ts";
import type { LambdaRemote } from "./remote.ts";

/** A machine type that Lambda sells. Its price is the same in every region. */
export interface LambdaOffering extends Offering {
  /** The configured regions that show capacity now, in their order; empty where it is sold out. */
  readonly regions: readonly string[];
}

/** All machine types, cheapest first. */
export async function offeringsOf(remote: LambdaRemote, call: Call): Promise<readonly LambdaOffering[]> {
  const offerings = Object.values(await remote.client.offerings(call)).map(
    ({ instance_type: type, regions_with_capacity_available: shown }): LambdaOffering => {
      const price = priceOf(type, remote.clock);
      const resources = resourcesOf(type);
      return {
        spec: type.name,
        ...(resources === undefined ? {} : { resources }),
        ...(price === undefined ? {} : { price }),
        regions: remote.regions.filter((name) => shown.some((region) => region.name === name)),
      };
    },
  );
  const cost = ({ price }: LambdaOffering): number => price?.usdPerHour ?? Number.MAX_VALUE;
  return offerings.sort((a, b) => cost(a) - cost(b) || (a.spec < b.spec ? -1 : 1));
}
