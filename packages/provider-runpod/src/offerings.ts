import type { InstanceResources, Offering } from "@slipway/core";
import { type Call, cheapestFirst, livePrice, present } from "@slipway/provider-kit/driver";
import type { RunpodContext } from "./context.ts";
import type { Machine } from "./machines.ts";
import { allOffers, type Offer } from "./placements.ts";
import type { Cloud } from "./wire.ts";

/** A machine that RunPod rents out, in one of its clouds. */
export interface RunpodOffering extends Offering {
  readonly cloud: Cloud;
  /**
   * The data centres that show stock now; empty where it is sold out. Absent where the catalog names none, as for hosts
   * of the Community Cloud that stand in no data centre.
   */
  readonly regions?: readonly string[];
}

/** One GPU of each type, and each CPU flavour at its smallest, cheapest first. */
export async function offeringsOf(context: RunpodContext, call: Call): Promise<readonly RunpodOffering[]> {
  const offers = (await allOffers(context, call)).filter(isSold);
  return cheapestFirst(
    offers.map(({ machine, places }) => ({
      spec: machine.spec,
      cloud: machine.cloud,
      resources: resourcesOf(machine),
      ...present({ price: livePrice(machine.usdPerHour, context.clock), regions: regionsOf(context, places) }),
    })),
  );
}

/** The catalog names every type in every cloud, also where that cloud has none of it. */
function isSold({ machine, places }: Offer): boolean {
  return machine.usdPerHour !== undefined || places.some(({ stock }) => stock < Number.POSITIVE_INFINITY);
}

function resourcesOf({ gpu, cpu }: Machine): InstanceResources {
  return present({ gpus: gpu && { type: gpu.id, count: gpu.count }, cpus: cpu?.vcpuCount });
}

function regionsOf(context: RunpodContext, places: Offer["places"]): readonly string[] | undefined {
  const stocked = places.filter(({ stock }) => stock < Number.POSITIVE_INFINITY);
  const named = stocked.flatMap(({ dataCenter }) => (dataCenter === undefined ? [] : [dataCenter]));
  if (stocked.length > named.length) return undefined;
  return context.dataCenters?.filter((id) => named.includes(id)) ?? named;
}
