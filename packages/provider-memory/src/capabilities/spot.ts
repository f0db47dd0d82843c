import type { Capability, SpawnOptions, SpotMethods, SpotPrice, SpotRequest } from "@slipway/core";
import { checkedFilter, configuredRegion, type MemoryContext } from "../context.ts";
import { composeId, inRegions } from "../ids.ts";
import { machineRequest } from "../request.ts";
import { anything, bid, catalogue, type WireBid } from "../wire.ts";

const STATUSES: ReadonlyMap<string, SpotRequest["status"]> = new Map([
  ["waiting", "open"],
  ["filled", "fulfilled"],
  ["lost", "failed"],
  ["withdrawn", "failed"],
]);

export function spotMethods(context: MemoryContext): SpotMethods<SpawnOptions<Capability>> {
  const { client } = context;
  return {
    requestSpotInstance: async (options) => {
      const call = { operation: "requestSpotInstance", signal: options.signal };
      // A request for interruptible capacity is one even where the option says nothing more.
      const { region, body } = machineRequest(context, call.operation, { ...options, spot: options.spot ?? {} });
      return requestFrom(await client.send(call, "bids.create", region, body, bid));
    },
    cancelSpotRequest: async (requestId, { signal } = {}) => {
      const call = { operation: "cancelSpotRequest", signal };
      await inRegions(requestId, "membid", context.regions, (region, id) =>
        client.send(call, "bids.withdraw", region, { id }, anything),
      );
    },
    getSpotPrices: async (given, { signal } = {}) => {
      const call = { operation: "getSpotPrices", signal };
      const filter = checkedFilter(call.operation, given, { specs: "texts", regions: "texts" });
      const prices: SpotPrice[] = [];
      for (const asked of filter.regions ?? context.regions) {
        const region = configuredRegion(context, call.operation, asked);
        const { zones, specs, at } = await client.send(call, "catalogue.read", region, {}, catalogue);
        for (const { name, spotUsdPerHour } of specs) {
          if (spotUsdPerHour === null || filter.specs?.includes(name) === false) continue;
          const asOf = new Date(at).toISOString();
          for (const zone of zones) {
            prices.push({
              usdPerHour: spotUsdPerHour,
              per: "instance",
              asOf,
              source: "live",
              spec: name,
              region,
              zone,
            });
          }
        }
      }
      return prices;
    },
  };
}

function requestFrom(row: WireBid): SpotRequest {
  return {
    requestId: composeId(row),
    status: STATUSES.get(row.state) ?? "open",
    instanceId: row.machine === null ? null : composeId({ region: row.region, id: row.machine }),
  };
}
