import { isProviderError, type SpotMethods, type SpotPrice, type SpotPriceFilter } from "@slipway/core";
import { type Call, utcTime } from "@slipway/provider-kit/driver";
import type { GcpLifeCycle } from "./instance.ts";
import { type GcpRemote, type GcpSpawnOptions, refusal, regionOf } from "./remote.ts";
import type { WireCapacityHistory } from "./wire-prices.ts";

// Google answers by machine type; where nobody names one, some of each size that many use.
const COMMON: readonly string[] = ["e2-medium", "e2-standard-4", "n2-standard-4", "c3-standard-4", "g2-standard-4"];

/** Google has no requests for such instances: an insert is filled or fails at once. */
export function spotMethods(remote: GcpRemote, lifeCycle: GcpLifeCycle): SpotMethods<GcpSpawnOptions> {
  return {
    requestSpotInstance: async (wanted) => {
      const spawned = await lifeCycle.spawn({ ...wanted, spot: wanted.spot ?? {} }, "requestSpotInstance");
      return { requestId: spawned.id, status: "fulfilled", instanceId: spawned.id };
    },
    cancelSpotRequest: (id, call) => lifeCycle.terminate(id, call, "cancelSpotRequest"),
    getSpotPrices: (filter, { signal } = {}) => spotPrices(remote, { operation: "getSpotPrices", signal }, filter),
  };
}

/** Live spot prices by machine type and configured region; what Google has no price for is left out. */
async function spotPrices(
  remote: GcpRemote,
  call: Call,
  { specs, regions }: SpotPriceFilter = {},
): Promise<readonly SpotPrice[]> {
  const unknown = regions?.find((region) => !remote.regions.includes(region));
  if (unknown !== undefined) {
    throw refusal("INVALID_SPEC", call.operation, `region ${JSON.stringify(unknown)} is not configured`);
  }
  const prices: SpotPrice[] = [];
  for (const region of regions ?? remote.regions) {
    for (const spec of specs ?? [...new Set([remote.defaultSpec, ...COMMON])]) {
      const usdPerHour = latestUsd(await historyOf(remote, call, region, spec));
      if (usdPerHour === undefined) continue;
      const asOf = new Date(remote.clock.now()).toISOString();
      prices.push({ usdPerHour, per: "instance", asOf, source: "live", spec, region });
    }
  }
  return prices;
}

/** Throws INVALID_SPEC where the price is above the cap, and where it is not known. */
export async function checkSpotCap(
  remote: GcpRemote,
  call: Call,
  zone: string,
  spec: string,
  cap: number,
): Promise<void> {
  const region = regionOf(zone);
  const usd = latestUsd(await historyOf(remote, call, region, spec));
  if (usd !== undefined && usd <= cap) return;
  const why = usd === undefined ? "Google tells no spot price for it" : `it costs ${usd} US dollars an hour`;
  throw refusal("INVALID_SPEC", call.operation, `spot.maxUsdPerHour is ${cap} for ${spec} in ${region}, and ${why}`);
}

const NO_HISTORY: WireCapacityHistory = { priceHistory: undefined };

/** A machine type that Google does not know has no prices; that is no failure. */
async function historyOf(
  { client }: GcpRemote,
  call: Call,
  region: string,
  spec: string,
): Promise<WireCapacityHistory> {
  try {
    return await client.spotPrices(call, region, spec);
  } catch (error) {
    if (isProviderError(error, "INVALID_SPEC", "NOT_FOUND")) return NO_HISTORY;
    throw error;
  }
}

/** Of the youngest interval, in US dollars; undefined in any other currency. */
function latestUsd({ priceHistory = [] }: WireCapacityHistory): number | undefined {
  const records = priceHistory.flatMap(({ interval, listPrice }) => {
    const { units = "0", nanos = 0, currencyCode } = listPrice ?? {};
    const usd = Number(units) + nanos / 1e9;
    return currencyCode === "USD" && usd > 0 ? [{ at: utcTime(interval?.startTime) ?? "", usd }] : [];
  });
  return records.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0]?.usd;
}
