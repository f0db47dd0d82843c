import { refusal } from "../call.ts";
import type { AwsContext, Call } from "../context.ts";

// Local and wavelength zones have other prices and few machine types: nobody gets one without naming it.
const ZONE = "availability-zone";

/** The zones of a region that are open to this account, by name. */
async function zonesOf(context: AwsContext, call: Call, region: string): Promise<readonly string[]> {
  const { AvailabilityZones = [] } = await context.client.send(call, region, "DescribeAvailabilityZones", {});
  return AvailabilityZones.filter(
    ({ State, ZoneType }) => (State ?? "available") === "available" && (ZoneType ?? ZONE) === ZONE,
  )
    .flatMap(({ ZoneName }) => (ZoneName === undefined ? [] : [ZoneName]))
    .toSorted();
}

/** Where a volume goes whose caller named no zone: always the same one, so that a repeated call asks for the same. */
export async function firstZone(context: AwsContext, call: Call, region: string): Promise<string> {
  const [first] = await zonesOf(context, call, region);
  if (first !== undefined) return first;
  throw refusal("INVALID_SPEC", call.operation, `${region} shows no availability zone to this account`);
}

/** The configured region that a zone is in: its name begins with it. INVALID_SPEC before any call. */
export function regionOfZone(context: Pick<AwsContext, "regions">, call: Call, zone: string, named?: string): string {
  const region = context.regions.find(
    (one) => zone.startsWith(one) && /^(-[a-z0-9-]+)?[a-z]$/.test(zone.slice(one.length)),
  );
  if (region === undefined) {
    throw refusal("INVALID_SPEC", call.operation, `zone ${JSON.stringify(zone)} is in no configured region`);
  }
  if (named === undefined || named === region) return region;
  throw refusal("INVALID_SPEC", call.operation, `zone ${zone} is in ${region}, not in ${named}`);
}
