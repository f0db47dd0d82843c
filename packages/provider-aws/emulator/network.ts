import { z } from "zod";
import { type ActionTable, action, filled, filters, list, paging } from "./action.ts";
import { refuse } from "./answers.ts";
import { freeAddresses } from "./capacity.ts";
import { filtered } from "./filters.ts";
import { time } from "./instance-view.ts";
import { paged } from "./paging.ts";
import { zoneId } from "./regions.ts";
import { tagSet } from "./tagging.ts";
import { allAt } from "./world.ts";

const describeVpcs = z.strictObject({ VpcId: list(filled).optional(), Filter: filters.optional(), ...paging });
const describeSubnets = z.strictObject({ SubnetId: list(filled).optional(), Filter: filters.optional(), ...paging });
const describeInterfaces = z.strictObject({
  NetworkInterfaceId: list(filled).optional(),
  Filter: filters.optional(),
  ...paging,
});

export const networkActions: ActionTable = {
  DescribeVpcs: action(describeVpcs, ({ region, world }, { VpcId, Filter, ...page }) => {
    for (const id of VpcId ?? []) {
      if (!region.vpcs.some((one) => one.id === id))
        refuse("InvalidVpcID.NotFound", `The vpc ID '${id}' does not exist`);
    }
    const all = region.vpcs.filter(({ id }) => VpcId?.includes(id) !== false);
    const passing = filtered(all, Filter, {
      "vpc-id": ({ id }) => [id],
      isDefault: ({ isDefault }) => [String(isDefault)],
      "is-default": ({ isDefault }) => [String(isDefault)],
      cidr: ({ cidr }) => [cidr],
      state: () => ["available"],
    });
    const { items, nextToken } = paged("DescribeVpcs", passing, page);
    const vpcSet = items.map(({ id, cidr, isDefault, tags }) => ({
      vpcId: id,
      ownerId: world.settings.account,
      state: "available",
      cidrBlock: cidr,
      dhcpOptionsId: "default",
      instanceTenancy: "default",
      isDefault,
      tagSet: tagSet(tags),
    }));
    return { vpcSet, nextToken };
  }),
  DescribeSubnets: action(describeSubnets, ({ region, world }, { SubnetId, Filter, ...page }) => {
    for (const id of SubnetId ?? []) {
      if (region.subnets.some((one) => one.id === id)) continue;
      refuse("InvalidSubnetID.NotFound", `The subnet ID '${id}' does not exist`);
    }
    const all = region.subnets.filter(({ id }) => SubnetId?.includes(id) !== false);
    const passing = filtered(all, Filter, {
      "subnet-id": ({ id }) => [id],
      "vpc-id": ({ vpcId }) => [vpcId],
      "availability-zone": ({ zone }) => [zone],
      availabilityZone: ({ zone }) => [zone],
      "default-for-az": ({ isDefault }) => [String(isDefault)],
      defaultForAz: ({ isDefault }) => [String(isDefault)],
      state: () => ["available"],
    });
    const { items, nextToken } = paged("DescribeSubnets", passing, page);
    const subnetSet = items.map(({ id, vpcId, zone, prefix, isDefault, tags }) => ({
      subnetId: id,
      subnetArn: `arn:aws:ec2:${region.name}:${world.settings.account}:subnet/${id}`,
      state: "available",
      ownerId: world.settings.account,
      vpcId,
      cidrBlock: `${prefix}.0/20`,
      availableIpAddressCount: freeAddresses(world, region, id),
      availabilityZone: zone,
      availabilityZoneId: zoneId(region.name, region.zones.indexOf(zone)),
      defaultForAz: isDefault,
      mapPublicIpOnLaunch: isDefault,
      tagSet: tagSet(tags),
    }));
    return { subnetSet, nextToken };
  }),
  DescribeNetworkInterfaces: action(describeInterfaces, ({ region, world, seenAt }, request) => {
    const all = allAt(region.instances, seenAt)
      .filter(({ state }) => state !== "terminated")
      .map((instance) => ({ instance, id: instance.interfaceId, tags: instance.interfaceTags }));
    for (const id of request.NetworkInterfaceId ?? []) {
      if (all.some((one) => one.id === id)) continue;
      refuse("InvalidNetworkInterfaceID.NotFound", `The networkInterface ID '${id}' does not exist`);
    }
    const named = all.filter(({ id }) => request.NetworkInterfaceId?.includes(id) !== false);
    const passing = filtered(named, request.Filter, {
      "network-interface-id": ({ id }) => [id],
      "group-id": ({ instance }) => instance.groupIds,
      "vpc-id": ({ instance }) => [instance.vpcId],
      "subnet-id": ({ instance }) => [instance.subnetId],
      "attachment.instance-id": ({ instance }) => [instance.id],
      status: () => ["in-use"],
    });
    const { items, nextToken } = paged("DescribeNetworkInterfaces", passing, request);
    const networkInterfaceSet = items.map(({ instance, id, tags }) => ({
      networkInterfaceId: id,
      subnetId: instance.subnetId,
      vpcId: instance.vpcId,
      availabilityZone: instance.zone,
      ownerId: world.settings.account,
      status: "in-use",
      privateIpAddress: instance.privateIp,
      groupSet: instance.groupIds.map((groupId) => ({ groupId })),
      attachment: {
        instanceId: instance.id,
        status: "attached",
        attachTime: time(instance.launchedAt),
        deviceIndex: 0,
      },
      tagSet: tagSet(tags),
    }));
    return { networkInterfaceSet, nextToken };
  }),
};
