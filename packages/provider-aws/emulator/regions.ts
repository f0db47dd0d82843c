import { z } from "zod";
import { type ActionTable, action, filled, filters, flag, list } from "./action.ts";
import { refuse } from "./answers.ts";
import { filtered } from "./filters.ts";

const describeRegions = z.strictObject({
  RegionName: list(filled).optional(),
  Filter: filters.optional(),
  AllRegions: flag.optional(),
});
const describeZones = z.strictObject({
  ZoneName: list(filled).optional(),
  ZoneId: list(filled).optional(),
  Filter: filters.optional(),
  AllAvailabilityZones: flag.optional(),
});

export const regionActions: ActionTable = {
  DescribeRegions: action(describeRegions, ({ world }, { RegionName, Filter }) => {
    for (const name of RegionName ?? []) {
      if (!world.regions.has(name)) refuse("InvalidParameterValue", `Invalid region provided: [${name}]`);
    }
    const all = [...world.regions.keys()]
      .filter((name) => RegionName?.includes(name) !== false)
      .map((name) => ({ name, tags: {} }));
    const shown = filtered(all, Filter, {
      "region-name": ({ name }) => [name],
      endpoint: ({ name }) => [`ec2.${name}.amazonaws.com`],
      "opt-in-status": () => ["opt-in-not-required"],
    });
    return {
      regionInfo: shown.map(({ name }) => ({
        regionName: name,
        regionEndpoint: `ec2.${name}.amazonaws.com`,
        optInStatus: "opt-in-not-required",
      })),
    };
  }),
  DescribeAvailabilityZones: action(describeZones, ({ region }, { ZoneName, ZoneId, Filter }) => {
    for (const name of ZoneName ?? []) {
      if (!region.zones.includes(name)) refuse("InvalidParameterValue", `Invalid availability zone: [${name}]`);
    }
    const all = region.zones
      .map((name, index) => ({ name, id: zoneId(region.name, index), tags: {} }))
      .filter(({ name, id }) => ZoneName?.includes(name) !== false && ZoneId?.includes(id) !== false);
    const shown = filtered(all, Filter, {
      "zone-name": ({ name }) => [name],
      "zone-id": ({ id }) => [id],
      "region-name": () => [region.name],
      state: ({ name }) => [region.impaired.has(name) ? "impaired" : "available"],
      "zone-type": () => ["availability-zone"],
      "opt-in-status": () => ["opt-in-not-required"],
    });
    return {
      availabilityZoneInfo: shown.map(({ name, id }) => ({
        optInStatus: "opt-in-not-required",
        messageSet: [],
        regionName: region.name,
        zoneName: name,
        zoneId: id,
        groupName: region.name,
        networkBorderGroup: region.name,
        zoneType: "availability-zone",
        zoneState: region.impaired.has(name) ? "impaired" : "available",
      })),
    };
  }),
};

/** As `use1-az1`: the same name for everybody, which a zone's own is not. */
export function zoneId(region: string, index: number): string {
  const [area = "", direction = "", number = "1"] = region.split("-");
  return `${area}${direction.slice(0, 1)}${number}-az${index + 1}`;
}
