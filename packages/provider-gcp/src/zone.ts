import type { Operation } from "@slipway/core";
import { type GcpRemote, type GcpSpawnOptions, refusal, regionOf } from "./remote.ts";

/**
 * A name is unique in a zone only, so every process has to choose the same zone: it follows from owner, key and region,
 * and neither from chance nor from what was tried before.
 */
export function zoneFor(
  { owner, zones, regions }: GcpRemote,
  operation: Operation,
  key: string,
  { region, zone }: Pick<GcpSpawnOptions, "region" | "zone">,
): string {
  if (zone !== undefined) {
    if (zones.includes(zone) && (region === undefined || regionOf(zone) === region)) return zone;
    const where = region === undefined ? "" : ` in ${region}`;
    throw refusal("INVALID_SPEC", operation, `zone ${JSON.stringify(zone)} is not configured${where}`, {
      hint: `This provider was made with ${zones.join(", ")}.`,
    });
  }
  const there = zones.filter((one) => regionOf(one) === (region ?? regions[0]));
  const hash = process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(`${owner}\n${key}`)
    .digest()
    .readUInt32BE(0);
  const chosen = there[hash % there.length];
  if (chosen === undefined) throw refusal("INVALID_SPEC", operation, "zones must name at least one");
  return chosen;
}

/** Volumes fix the zone. */
export function placeOf(
  remote: GcpRemote,
  operation: Operation,
  key: string,
  { region, zone }: GcpSpawnOptions,
  fixed: string | undefined,
): string {
  if (fixed === undefined || (zone === undefined && (region === undefined || region === regionOf(fixed)))) {
    return zoneFor(remote, operation, key, { region, zone: zone ?? fixed });
  }
  if (zone === fixed) return zoneFor(remote, operation, key, { region, zone });
  throw refusal("INVALID_SPEC", operation, `volumes are in ${fixed}, and the spawn names another place`);
}
