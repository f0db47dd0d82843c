import { DescribeSecurityGroupsCommand, DescribeSubnetsCommand, DescribeVpcsCommand } from "@aws-sdk/client-ec2";
import type { GetParameterCommandOutput } from "@aws-sdk/client-ssm";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import type { Clients } from "../moto-clients.ts";

export const IMAGE_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
export const ZONES: readonly string[] = ["us-east-1a", "us-east-1b", "us-east-1c"];

/** One of the two worlds that are compared, and how its ids are called in both. */
export interface Side {
  readonly clients: Clients;
  /** From a name that both share, as `instance 2`, to the id here. */
  readonly ids: Map<string, string>;
  /** And back. */
  readonly names: Map<string, string>;
}

export function name(side: Side, shared: string, id: string | undefined): void {
  if (id === undefined) return;
  side.ids.set(shared, id);
  side.names.set(id, shared);
}

/** A world as a new account has it, its network and its image under shared names. */
export async function newSide(clients: Clients): Promise<Side> {
  const side: Side = { clients, ids: new Map(), names: new Map() };
  const { ec2, ssm } = clients;
  const image: GetParameterCommandOutput = await ssm.send(new GetParameterCommand({ Name: IMAGE_PARAMETER }));
  name(side, "image", image.Parameter?.Value);
  const { Vpcs = [] } = await ec2.send(
    new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] }),
  );
  name(side, "vpc", Vpcs[0]?.VpcId);
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
  for (const { SubnetId, AvailabilityZone } of Subnets) name(side, `subnet ${AvailabilityZone}`, SubnetId);
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
  name(side, "group default", SecurityGroups.find(({ GroupName }) => GroupName === "default")?.GroupId);
  return side;
}

/** An id that is written as its shared name, in the inputs of steps. */
export interface Reference {
  readonly id: string;
}

/** The input of a step with the ids of one side. */
export function resolved(side: Side, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(side, item));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [[key, target] = ["", undefined]] = entries;
  if (entries.length === 1 && key === "id" && typeof target === "string") return side.ids.get(target) ?? target;
  return Object.fromEntries(entries.map(([field, inner]) => [field, resolved(side, inner)]));
}

const ID = /^(i|vol|snap|ami|sg|lt|sir|fleet|subnet|vpc|eni|r)-[0-9a-z]+$/;

/** A value of an answer with shared names; ids that no step has named are told by their kind. */
export function shared(side: Side, value: unknown): unknown {
  if (typeof value === "string") return side.names.get(value) ?? value.replace(ID, "some $1");
  if (Array.isArray(value)) return value.map((item) => shared(side, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, shared(side, inner)]));
}
