import type { Subnet } from "@aws-sdk/client-ec2";
import { refusal } from "./call.ts";
import type { ResolvedNetwork } from "./capabilities/custom-networking.ts";
import type { AwsContext, Call } from "./context.ts";
import { kept } from "./kept.ts";
import type { AWSSpawnOptions, AwsRequest } from "./request.ts";
import { ensureSecurityGroup } from "./security-group.ts";

/** Where the instance goes, resolved before the first call that makes something. */
export interface ChosenPlace extends ResolvedNetwork {
  /** Of the subnet, or of the volumes; EC2 chooses one if absent. */
  readonly zone?: string | undefined;
}

/**
 * Where the instance goes and what guards it. Decided by the request alone, and by what stands in the account: neither
 * chance nor what was refused just now changes it, so that a repeated spawn asks for the same. `zone` is that of the
 * volumes it has.
 */
export async function placeFor(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  zone: string | undefined,
): Promise<ChosenPlace> {
  const { options, prepared } = request;
  const { region } = prepared;
  const { network = {}, ports = [] } = options;
  const subnet = await subnetFor(context, call, request, zone);
  const own = needsGroup(options)
    ? [
        await ensureSecurityGroup(context, call, region, await vpcFor(context, call, region, subnet), {
          ports,
          isolated: network.isolated,
        }),
      ]
    : [];
  return {
    subnetId: subnet?.SubnetId,
    zone: zone ?? subnet?.AvailabilityZone,
    groupIds: [...(network.firewalls ?? []), ...own],
    ...(network.isolated === true ? { publicAddress: false } : {}),
  };
}

/** Is it guarded by a security group of ours? */
export function needsGroup({ network, ports = [] }: Pick<AWSSpawnOptions, "network" | "ports">): boolean {
  return ports.length > 0 || network?.isolated === true;
}

/** The subnet that the network means; of several the first by id. Undefined where EC2 may choose. */
async function subnetFor(
  context: AwsContext,
  call: Call,
  { options, prepared: { region } }: AwsRequest,
  zone: string | undefined,
): Promise<Subnet | undefined> {
  const { id, subnet } = options.network ?? {};
  if (id === undefined && subnet === undefined) return undefined;
  const where = subnet === undefined ? { Filters: [{ Name: "vpc-id", Values: [id ?? ""] }] } : { SubnetIds: [subnet] };
  const subnets = await context.client.all(call, region, "DescribeSubnets", where, (page) => page.Subnets);
  const fitting = subnets
    .filter(({ VpcId }) => id === undefined || VpcId === id)
    .filter(({ AvailabilityZone }) => zone === undefined || AvailabilityZone === zone)
    .toSorted((a, b) => ((a.SubnetId ?? "") < (b.SubnetId ?? "") ? -1 : 1));
  if (fitting[0] !== undefined) return fitting[0];
  const named = subnet ?? id ?? "";
  throw refusal(
    "INVALID_SPEC",
    call.operation,
    zone === undefined ? `network: there is no subnet in ${named}` : `network: ${named} has no subnet in ${zone}`,
  );
}

async function vpcFor(context: AwsContext, call: Call, region: string, subnet: Subnet | undefined): Promise<string> {
  if (subnet?.VpcId !== undefined) return subnet.VpcId;
  const byDefault = await kept(context, call, context.defaultVpcs, `${region}/default`, async () => {
    const { Vpcs = [] } = await context.client.send(call, region, "DescribeVpcs", {
      Filters: [{ Name: "is-default", Values: ["true"] }],
    });
    return Vpcs[0]?.VpcId ?? null;
  });
  if (byDefault !== null) return byDefault;
  throw refusal("INVALID_SPEC", call.operation, `${region} has no default network`, {
    hint: 'Name a subnet: network: { subnet: "subnet-…" }.',
  });
}
