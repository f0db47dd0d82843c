import type { InstanceNetworkInterfaceSpecification, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import type { NetworkOptions } from "@slipway/core";
import { refusal } from "../call.ts";

/** Where an instance's network interface goes, resolved: every name is an id by now. */
export interface ResolvedNetwork {
  readonly subnetId?: string | undefined;
  readonly groupIds: readonly string[];
  /** Absent: as the subnet has it. */
  readonly publicAddress?: boolean | undefined;
}

const IDS = {
  id: /^vpc-[0-9a-f]{8,17}$/,
  subnet: /^subnet-[0-9a-f]{8,17}$/,
  firewall: /^sg-[0-9a-f]{8,17}$/,
} as const;

/**
 * The network as the caller wrote it, or INVALID_SPEC before any call. Networks, subnets and firewalls are named by id:
 * a name is not unique in EC2, and what it means may change between a request and its repetition.
 */
export function checkNetwork(operation: string, network: NetworkOptions): NetworkOptions {
  const { id, subnet, firewalls = [], isolated } = network;
  mustMatch(operation, "network.id", "a VPC's id, as vpc-0abc…", id, IDS.id);
  mustMatch(operation, "network.subnet", "a subnet's id, as subnet-0abc…", subnet, IDS.subnet);
  for (const firewall of firewalls) {
    mustMatch(operation, "network.firewalls", "ids of security groups, as sg-0abc…", firewall, IDS.firewall);
  }
  if (isolated === true && firewalls.length > 0) {
    throw refusal("INVALID_SPEC", operation, "network.isolated excludes network.firewalls: they would open it again");
  }
  return network;
}

/**
 * The part of RunInstances that places the interface. Where a public address is asked for or refused, EC2 wants it all
 * inside one interface specification, and nothing of it beside.
 */
export function networkPart({
  subnetId,
  groupIds,
  publicAddress,
}: ResolvedNetwork): Pick<RunInstancesCommandInput, "NetworkInterfaces" | "SubnetId" | "SecurityGroupIds"> {
  if (publicAddress === undefined) {
    return {
      ...(subnetId === undefined ? {} : { SubnetId: subnetId }),
      ...(groupIds.length === 0 ? {} : { SecurityGroupIds: [...groupIds] }),
    };
  }
  const first: InstanceNetworkInterfaceSpecification = {
    DeviceIndex: 0,
    AssociatePublicIpAddress: publicAddress,
    DeleteOnTermination: true,
    ...(subnetId === undefined ? {} : { SubnetId: subnetId }),
    ...(groupIds.length === 0 ? {} : { Groups: [...groupIds] }),
  };
  return { NetworkInterfaces: [first] };
}

function mustMatch(operation: string, name: string, what: string, value: string | undefined, pattern: RegExp): void {
  if (value === undefined || pattern.test(value)) return;
  throw refusal("INVALID_SPEC", operation, `${name} must be ${what}`);
}
