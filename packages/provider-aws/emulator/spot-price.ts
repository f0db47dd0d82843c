import { EMULATED_TYPES } from "./catalogue.ts";
import type { Region } from "./world.ts";

// Each zone has its own: what EC2 asks is nowhere the same for long.
const SHARES: Readonly<Record<string, number>> = { a: 0.36, b: 0.31, c: 0.42 };

/** USD an hour for a spot instance now. */
export function spotPriceOf(region: Region, zone: string, type: string): number {
  const set = region.spotPrices.get(`${zone} ${type}`);
  if (set !== undefined) return set;
  const onDemand = EMULATED_TYPES.find(({ name }) => name === type)?.usdPerHour ?? 1;
  return Math.round(onDemand * (SHARES[zone.slice(-1)] ?? 0.4) * 1e6) / 1e6;
}
