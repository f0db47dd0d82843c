import { z } from "zod";
import { type ActionTable, action, filled, filters, list, paging } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { EMULATED_TYPES, type EmulatedType, isOffered, typeOf } from "./catalogue.ts";
import { filtered } from "./filters.ts";
import { paged } from "./paging.ts";
import { zoneId } from "./regions.ts";

const describeTypes = z.strictObject({ InstanceType: list(filled).optional(), Filter: filters.optional(), ...paging });
const describeOfferings = z.strictObject({
  LocationType: z.enum(["region", "availability-zone", "availability-zone-id"]).optional(),
  Filter: filters.optional(),
  ...paging,
});

export const typeActions: ActionTable = {
  DescribeInstanceTypes: action(describeTypes, ({ region }, { InstanceType, Filter, ...page }) => {
    if (InstanceType !== undefined && page.MaxResults !== undefined) {
      refuse("InvalidParameterCombination", "The parameter instanceTypes cannot be used with the parameter maxResults");
    }
    const unknown = (InstanceType ?? []).filter((name) => typeOf(name) === undefined);
    if (unknown.length > 0) {
      refuse("InvalidInstanceType", `The following supplied instance types do not exist: [${unknown.join(", ")}]`);
    }
    const all = EMULATED_TYPES.filter(
      (type) => InstanceType?.includes(type.name) !== false && region.zones.some((zone) => isOffered(type, zone)),
    ).map((type) => ({ ...type, tags: {} }));
    const passing = filtered(all, Filter, {
      "instance-type": ({ name }) => [name],
      "bare-metal": ({ bareMetal }) => [String(bareMetal === true)],
      "hibernation-supported": ({ hibernation }) => [String(hibernation)],
      "processor-info.supported-architecture": ({ architecture }) => [architecture],
      "vcpu-info.default-vcpus": ({ vcpus }) => [String(vcpus)],
      "memory-info.size-in-mib": ({ memoryMib }) => [String(memoryMib)],
      "current-generation": () => ["true"],
      "supported-usage-class": () => ["on-demand", "spot"],
    });
    const { items, nextToken } = paged("DescribeInstanceTypes", passing, page);
    return { instanceTypeSet: items.map(typeFields), nextToken };
  }),
  DescribeInstanceTypeOfferings: action(
    describeOfferings,
    ({ region }, { LocationType = "region", Filter, ...page }) => {
      const locations = {
        region: [{ location: region.name, zones: region.zones }],
        "availability-zone": region.zones.map((zone) => ({ location: zone, zones: [zone] })),
        "availability-zone-id": region.zones.map((zone, at) => ({ location: zoneId(region.name, at), zones: [zone] })),
      }[LocationType];
      const all = locations.flatMap(({ location, zones }) =>
        EMULATED_TYPES.filter((type) => zones.some((zone) => isOffered(type, zone))).map(({ name }) => ({
          name,
          location,
          tags: {},
        })),
      );
      const passing = filtered(all, Filter, {
        "instance-type": ({ name }) => [name],
        location: ({ location }) => [location],
      });
      const { items, nextToken } = paged("DescribeInstanceTypeOfferings", passing, page);
      return {
        instanceTypeOfferingSet: items.map(({ name, location }) => ({
          instanceType: name,
          locationType: LocationType,
          location,
        })),
        nextToken,
      };
    },
  ),
};

function typeFields({ name, vcpus, memoryMib, architecture, hibernation, bareMetal, gpu }: EmulatedType): XmlFields {
  return {
    instanceType: name,
    currentGeneration: true,
    freeTierEligible: name === "t3.micro",
    supportedUsageClasses: ["on-demand", "spot"],
    supportedRootDeviceTypes: ["ebs"],
    supportedVirtualizationTypes: ["hvm"],
    bareMetal: bareMetal === true,
    hypervisor: bareMetal === true ? null : "nitro",
    processorInfo: { supportedArchitectures: [architecture] },
    vCpuInfo: { defaultVCpus: vcpus, defaultCores: Math.max(1, vcpus / 2), defaultThreadsPerCore: 2 },
    memoryInfo: { sizeInMiB: memoryMib },
    hibernationSupported: hibernation,
    gpuInfo:
      gpu === undefined
        ? null
        : {
            gpus: [
              { name: gpu.name, manufacturer: "NVIDIA", count: gpu.count, memoryInfo: { sizeInMiB: gpu.memoryMib } },
            ],
            totalGpuMemoryInMiB: gpu.memoryMib * gpu.count,
          },
  };
}
