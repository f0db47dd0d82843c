import { z } from "zod";
import { type ActionTable, action, type Call, filled, filters, list, paging, tagSpecifications } from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, GROUP, oneFound } from "./found.ts";
import { paged } from "./paging.ts";
import {
  type PermissionRequest,
  permissionFields,
  permissions,
  readPermissions,
  ruleText,
  sameRule,
  single,
} from "./permissions.ts";
import { checkSpecifications, tagSet, tagsFor } from "./tagging.ts";
import type { Permission, SecurityGroup } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { allAt, newId } from "./world.ts";

const MOST_RULES = 60;

const create = z.strictObject({
  GroupName: z.string().min(1).max(255),
  GroupDescription: z.string().min(1).max(255),
  VpcId: filled.optional(),
  TagSpecification: tagSpecifications.optional(),
});
const describe = z.strictObject({
  GroupId: list(filled).optional(),
  GroupName: list(filled).optional(),
  Filter: filters.optional(),
  ...paging,
});
const change = z.strictObject({
  GroupId: filled,
  IpPermissions: permissions,
  TagSpecification: tagSpecifications.optional(),
});
const remove = z.strictObject({ GroupId: filled.optional(), GroupName: filled.optional() });

const FILTERS: FilterTable<SecurityGroup> = {
  "group-id": ({ id }) => [id],
  "group-name": ({ name }) => [name],
  "vpc-id": ({ vpcId }) => [vpcId],
  description: ({ description }) => [description],
};

const EVERYTHING: Permission = { protocol: "-1", from: null, to: null, cidrs: ["0.0.0.0/0"], cidrs6: [], groups: [] };

type Side = "inbound" | "outbound";

export const securityGroupActions: ActionTable = {
  CreateSecurityGroup: action(create, (call, { GroupName, GroupDescription, VpcId, TagSpecification }) => {
    const { region, world, now } = call;
    checkSpecifications(TagSpecification, ["security-group"]);
    if (GroupName.startsWith("sg-")) refuse("InvalidParameterValue", "Group names may not be in the format sg-*");
    const vpc = region.vpcs.find(({ id, isDefault }) => (VpcId === undefined ? isDefault : id === VpcId));
    if (vpc === undefined) return refuse("InvalidVpcID.NotFound", `The vpc ID '${VpcId}' does not exist`);
    if (allAt(region.groups, now).some(({ name, vpcId }) => name === GroupName && vpcId === vpc.id)) {
      refuse("InvalidGroup.Duplicate", `The security group '${GroupName}' already exists for VPC '${vpc.id}'`);
    }
    const id = newId(world, "sg");
    const group: SecurityGroup = {
      id,
      name: GroupName,
      description: GroupDescription,
      vpcId: vpc.id,
      inbound: [],
      outbound: [EVERYTHING],
      tags: tagsFor("security-group", TagSpecification),
    };
    region.groups.set(id, new Timeline<SecurityGroup>(now, group));
    world.changes += 1;
    return { return: true, groupId: id, tagSet: tagSet(group.tags) };
  }),
  DescribeSecurityGroups: action(describe, ({ region, world, seenAt }, { GroupId, GroupName, Filter, ...page }) => {
    const all = GroupId === undefined ? allAt(region.groups, seenAt) : found(GROUP, region.groups, GroupId, seenAt);
    for (const name of GroupName ?? []) {
      if (all.some((one) => one.name === name)) continue;
      refuse("InvalidGroup.NotFound", `The security group '${name}' does not exist in default VPC`);
    }
    const named = all.filter(({ name }) => GroupName?.includes(name) !== false);
    const { items, nextToken } = paged("DescribeSecurityGroups", filtered(named, Filter, FILTERS), page);
    return { securityGroupInfo: items.map((one) => groupFields(one, world.settings.account)), nextToken };
  }),
  AuthorizeSecurityGroupIngress: action(change, (call, request) => authorize(call, "inbound", request)),
  AuthorizeSecurityGroupEgress: action(change, (call, request) => authorize(call, "outbound", request)),
  RevokeSecurityGroupIngress: action(change, (call, request) => revoke(call, "inbound", request)),
  RevokeSecurityGroupEgress: action(change, (call, request) => revoke(call, "outbound", request)),
  DeleteSecurityGroup: action(remove, (call, { GroupId, GroupName }) => {
    const { region, world, now } = call;
    if (GroupId === undefined && GroupName === undefined) {
      refuse("MissingParameter", "The request must contain the parameter GroupName or GroupId");
    }
    const byName = allAt(region.groups, now).find(({ name }) => name === GroupName)?.id;
    if (GroupId === undefined && byName === undefined) {
      refuse("InvalidGroup.NotFound", `The security group '${GroupName}' does not exist in default VPC`);
    }
    const group = oneFound(GROUP, region.groups, GroupId ?? byName ?? "", now);
    if (group.name === "default")
      refuse("CannotDelete", `the specified group: "${group.id}" name: "default" cannot be deleted by a user`);
    const user = allAt(region.instances, now).find(
      ({ groupIds, state }) => state !== "terminated" && groupIds.includes(group.id),
    );
    const refers = allAt(region.groups, now).find(
      (one) => one.id !== group.id && [...one.inbound, ...one.outbound].some(({ groups }) => groups.includes(group.id)),
    );
    if (user !== undefined || refers !== undefined) {
      refuse("DependencyViolation", `resource ${group.id} has a dependent object`);
    }
    region.groups.get(group.id)?.turn(now, { inMs: 0, patch: () => null });
    world.changes += 1;
    return { return: true, groupId: group.id };
  }),
};

interface Change {
  readonly GroupId: string;
  readonly IpPermissions: readonly PermissionRequest[];
}

function authorize(call: Call, side: Side, { GroupId, IpPermissions }: Change): XmlFields {
  const group = oneFound(GROUP, call.region.groups, GroupId, call.now);
  const added = readPermissions(IpPermissions);
  const before = single(group[side]);
  for (const rule of added) {
    if (!before.some((one) => sameRule(one, rule))) continue;
    refuse("InvalidPermission.Duplicate", `the specified rule "${ruleText(rule)}" already exists`);
  }
  const after = [...before, ...added];
  if (after.length > MOST_RULES) {
    refuse("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.");
  }
  return changed(call, group, side, after);
}

function revoke(call: Call, side: Side, { GroupId, IpPermissions }: Change): XmlFields {
  const group = oneFound(GROUP, call.region.groups, GroupId, call.now);
  const removed = readPermissions(IpPermissions);
  const before = single(group[side]);
  if (!removed.every((rule) => before.some((one) => sameRule(one, rule)))) {
    refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
  }
  return changed(
    call,
    group,
    side,
    before.filter((one) => !removed.some((rule) => sameRule(one, rule))),
  );
}

function changed(
  { region, world, now }: Call,
  { id }: SecurityGroup,
  side: Side,
  rules: readonly Permission[],
): XmlFields {
  region.groups.get(id)?.amend(now, (group) => ({ ...group, [side]: rules }));
  world.changes += 1;
  return { return: true };
}

function groupFields(one: SecurityGroup, account: string): XmlFields {
  return {
    ownerId: account,
    groupId: one.id,
    groupName: one.name,
    groupDescription: one.description,
    vpcId: one.vpcId,
    ipPermissions: permissionFields(one.inbound, account),
    ipPermissionsEgress: permissionFields(one.outbound, account),
    tagSet: tagSet(one.tags),
  };
}
