import type { IpPermission, SecurityGroup } from "@aws-sdk/client-ec2";
import { canonicalJson, type Port } from "@slipway/core";
import { refusal } from "./call.ts";
import { type AwsContext, type Call, lookUntilShown } from "./context.ts";
import { nullIfRefused } from "./errors.ts";
import { ownershipOf, TAGS, type Tag, tagsOf } from "./tags.ts";

/** What a group lets in and out. One group serves all instances of an owner, a VPC and a set of rules. */
export interface GroupRules {
  readonly ports: readonly Port[];
  /** Nothing in and nothing out. */
  readonly isolated?: boolean | undefined;
}

const ANYWHERE_V4 = "0.0.0.0/0";
const ANYWHERE_V6 = "::/0";
const LOOK_AGAIN_MS = 1000;

/**
 * The group for these rules in this VPC: found by its name and our tag, otherwise made. Any number of processes may ask
 * at once: EC2 lets one of them make the name, and the others find it. A group without our tag under our name is
 * CONFLICT; one that lost its maker before its rules were written gets them here. Nothing ends it with an instance:
 * EC2 keeps a group for minutes after its last one, and the next spawn wants it again. `cleanup` deletes it.
 */
export function ensureSecurityGroup(
  context: AwsContext,
  call: Call,
  region: string,
  vpcId: string,
  rules: GroupRules,
): Promise<string> {
  const name = groupName(context.owner, rules);
  const known = `${region}/${vpcId}/${name}`;
  const before = context.securityGroups.get(known);
  // Not shared with whoever asked first where that one gave up: its abort is not ours.
  if (before !== undefined) return before.catch(() => makeOrFind(context, call, region, vpcId, name, rules));
  const making = makeOrFind(context, call, region, vpcId, name, rules);
  context.securityGroups.set(known, making);
  making.catch(() => {
    if (context.securityGroups.get(known) === making) context.securityGroups.delete(known);
  });
  return making;
}

/** EC2 says that a group, or its network, is gone that this process remembers: the next spawn looks again. */
export function forgetSecurityGroups(
  context: Pick<AwsContext, "securityGroups" | "defaultVpcs">,
  region: string,
): void {
  context.defaultVpcs.delete(`${region}/default`);
  for (const known of context.securityGroups.keys()) {
    if (known.startsWith(`${region}/`)) context.securityGroups.delete(known);
  }
}

/** `slipway-` and a checksum of owner and rules: the same for every process that wants the same. */
function groupName(owner: string, rules: GroupRules): string {
  const content = canonicalJson({ owner, rules: permissionsOf(rules), isolated: rules.isolated === true });
  return `slipway-${process.getBuiltinModule("node:crypto").createHash("sha256").update(content).digest("hex").slice(0, 20)}`;
}

/** What it lets in, as EC2 writes it: sorted and without repetitions, so that equal rules give equal names. */
function permissionsOf({ ports }: GroupRules): readonly IpPermission[] {
  const wanted = new Map(ports.map(({ port, protocol = "tcp" }) => [`${protocol}/${port}`, { port, protocol }]));
  return [...wanted.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { port, protocol }]) => ({
      IpProtocol: protocol,
      FromPort: port,
      ToPort: port,
      IpRanges: [{ CidrIp: ANYWHERE_V4 }],
      Ipv6Ranges: [{ CidrIpv6: ANYWHERE_V6 }],
    }));
}

async function makeOrFind(
  context: AwsContext,
  call: Call,
  region: string,
  vpcId: string,
  name: string,
  rules: GroupRules,
): Promise<string> {
  const found = await find(context, call, region, vpcId, name);
  if (found !== undefined) return complete(context, call, region, mustBeOurs(call, found), rules);
  const made = await make(context, call, region, vpcId, name);
  if (made !== undefined) return complete(context, call, region, { GroupId: made, IpPermissions: [] }, rules);
  // Another was faster: the name is taken, and the search may show nothing for a while.
  const rival = await lookUntilShown(context, call, () => find(context, call, region, vpcId, name), LOOK_AGAIN_MS);
  if (rival !== undefined) return complete(context, call, region, mustBeOurs(call, rival), rules);
  throw refusal("BUSY", call.operation, `the security group ${name} exists and is not shown yet`);
}

async function find(
  context: AwsContext,
  call: Call,
  region: string,
  vpcId: string,
  name: string,
): Promise<SecurityGroup | undefined> {
  const { SecurityGroups = [] } = await context.client.send(call, region, "DescribeSecurityGroups", {
    Filters: [
      { Name: "vpc-id", Values: [vpcId] },
      { Name: "group-name", Values: [name] },
    ],
  });
  return SecurityGroups[0];
}

/** Its id, or undefined where another was faster. */
async function make(
  context: AwsContext,
  call: Call,
  region: string,
  vpcId: string,
  name: string,
): Promise<string | undefined> {
  const tags: readonly Tag[] = [...tagsOf(context.owner, null), { Key: TAGS.role, Value: "firewall" }];
  const made = await nullIfRefused(/^InvalidGroup\.Duplicate$/, () =>
    context.client.send(call, region, "CreateSecurityGroup", {
      GroupName: name,
      Description: "Made by Slipway for its instances; slipway cleanup deletes it",
      VpcId: vpcId,
      TagSpecifications: [{ ResourceType: "security-group", Tags: [...tags] }],
    }),
  );
  return made?.GroupId;
}

/** Writes the rules that are missing. Rules that somebody added by hand stay: they are somebody's decision. */
async function complete(
  context: AwsContext,
  call: Call,
  region: string,
  group: SecurityGroup,
  rules: GroupRules,
): Promise<string> {
  const groupId = group.GroupId ?? "";
  const there = new Set((group.IpPermissions ?? []).map(portKey));
  for (const permission of permissionsOf(rules)) {
    if (!there.has(portKey(permission))) await authorize(context, call, region, groupId, permission);
  }
  if (rules.isolated === true) await closeEgress(context, call, region, groupId);
  return groupId;
}

/** One rule at a time: of several, one that is there already refuses them all. */
async function authorize(
  context: AwsContext,
  call: Call,
  region: string,
  groupId: string,
  permission: IpPermission,
): Promise<void> {
  const IpPermissions = [permission];
  await nullIfRefused(/^InvalidPermission\.Duplicate$/, () =>
    context.client.send(call, region, "AuthorizeSecurityGroupIngress", { GroupId: groupId, IpPermissions }),
  );
}

const EVERYTHING: readonly IpPermission[] = [
  { IpProtocol: "-1", IpRanges: [{ CidrIp: ANYWHERE_V4 }] },
  { IpProtocol: "-1", Ipv6Ranges: [{ CidrIpv6: ANYWHERE_V6 }] },
];

/** EC2 gives every new group a rule that lets everything out, and another in a network with IPv6. */
async function closeEgress(context: AwsContext, call: Call, region: string, groupId: string): Promise<void> {
  for (const permission of EVERYTHING) {
    const IpPermissions = [permission];
    await nullIfRefused(/^InvalidPermission\.NotFound$/, () =>
      context.client.send(call, region, "RevokeSecurityGroupEgress", { GroupId: groupId, IpPermissions }),
    );
  }
}

function mustBeOurs(call: Call, group: SecurityGroup): SecurityGroup {
  if (ownershipOf(group.Tags).owner !== null) return group;
  throw refusal("CONFLICT", call.operation, `${group.GroupId} has the name of our security group and not our tags`, {
    nativeId: group.GroupId,
    hint: "Delete or rename it, or give network.firewalls.",
  });
}

function portKey({ IpProtocol, FromPort, ToPort }: IpPermission): string {
  return `${IpProtocol}/${FromPort}/${ToPort}`;
}
