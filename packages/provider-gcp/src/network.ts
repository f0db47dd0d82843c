import type { NetworkOptions, Operation } from "@slipway/core";
import { type GcpRemote, refusal, regionOf } from "./remote.ts";

/** Where an instance's only interface is, and the tags by which the network's firewall rules choose it. */
export interface Place {
  readonly network: string | undefined;
  readonly subnetwork: string | undefined;
  readonly tags: readonly string[];
  readonly hasPublicAddress: boolean;
}

export interface NetworkInterface {
  readonly network?: string;
  readonly subnetwork?: string;
  readonly accessConfigs?: readonly [{ readonly type: "ONE_TO_ONE_NAT"; readonly name: string }];
}

const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const PATH = /^(projects|global|regions)\/[A-Za-z0-9._:/-]{1,280}$/;

/** The caller's network, or the provider's. Throws INVALID_SPEC. */
export function placeOfNetwork(remote: GcpRemote, operation: Operation, given: NetworkOptions | undefined): Place {
  const { network, subnetwork, hasPublicAddress } = remote;
  if (given === undefined) return { network, subnetwork, hasPublicAddress, tags: [] };
  const { id, subnet, firewalls = [], isolated = false } = given;
  for (const [field, name] of [["id", id] as const, ["subnet", subnet] as const]) {
    if (name === undefined || LABEL.test(name) || PATH.test(name)) continue;
    throw refusal(
      "INVALID_SPEC",
      operation,
      `network.${field} ${JSON.stringify(name)} is neither a name nor a path of Google's`,
    );
  }
  const wrong = firewalls.find((tag) => !LABEL.test(tag));
  if (wrong !== undefined) {
    throw refusal("INVALID_SPEC", operation, `network.firewalls: ${JSON.stringify(wrong)} is no network tag`, {
      hint: "Google's firewall rules choose instances by network tags: give those.",
    });
  }
  // A subnetwork of the settings is of their network, and not of another one.
  const isOther = id !== undefined || subnet !== undefined;
  return {
    network: isOther ? id : network,
    subnetwork: isOther ? subnet : subnetwork,
    tags: firewalls,
    hasPublicAddress: hasPublicAddress && !isolated,
  };
}

export function networkInterface({ network, subnetwork, hasPublicAddress }: Place, zone: string): NetworkInterface {
  const isPath = (name: string): boolean => name.includes("/");
  const subnet =
    subnetwork === undefined || isPath(subnetwork) ? subnetwork : `regions/${regionOf(zone)}/subnetworks/${subnetwork}`;
  const net = network === undefined || isPath(network) ? network : `global/networks/${network}`;
  return {
    ...(net === undefined && subnet === undefined ? { network: "global/networks/default" } : {}),
    ...(net === undefined ? {} : { network: net }),
    ...(subnet === undefined ? {} : { subnetwork: subnet }),
    ...(hasPublicAddress ? { accessConfigs: [{ type: "ONE_TO_ONE_NAT", name: "External NAT" }] as const } : {}),
  };
}
