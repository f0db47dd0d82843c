import { type CleanupItem, type CleanupMethods } from "@slipway/core";
import { refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeCodeOf } from "./errors.ts";
import { composeId, splitId } from "./ids.ts";
import { forgetSecurityGroups } from "./security-group.ts";
import { ownerFilters, ownershipOf } from "./tags.ts";

/** A thing that Slipway made for its own use. `why` is absent while it is used. */
interface OwnThing {
  readonly id: string;
  readonly why?: string;
}

interface OwnKind {
  readonly find: (context: AwsContext, call: Call, region: string) => Promise<readonly OwnThing[]>;
  readonly remove: (context: AwsContext, call: Call, region: string, id: string) => Promise<unknown>;
  /** EC2's codes for "it is gone already". */
  readonly gone: RegExp;
  /** EC2's codes for "something uses it". */
  readonly inUse: RegExp;
}

const KINDS: Readonly<Record<string, OwnKind>> = {
  "security-group": {
    find: securityGroups,
    remove: async (context, call, region, id) => {
      await context.client.send(call, region, "DeleteSecurityGroup", { GroupId: id });
      forgetSecurityGroups(context, region);
    },
    gone: /^Invalid(Group(Id)?|SecurityGroupID)\.NotFound$/,
    inUse: /^(DependencyViolation|InvalidGroup\.InUse)$/,
  },
  "launch-template": {
    find: launchTemplates,
    remove: (context, call, region, id) =>
      context.client.send(call, region, "DeleteLaunchTemplate", { LaunchTemplateId: id }),
    gone: /^InvalidLaunchTemplate(Id\.NotFound|Name\.NotFoundException)/,
    inUse: /^DependencyViolation$/,
  },
  "backing-snapshot": {
    find: backingSnapshots,
    remove: (context, call, region, id) => context.client.send(call, region, "DeleteSnapshot", { SnapshotId: id }),
    gone: /^InvalidSnapshot\.NotFound$/,
    inUse: /^InvalidSnapshot\.InUse$/,
  },
};

/** What this owner's spawns, fleets and snapshots left behind in the configured regions. */
export function cleanupMethods(context: AwsContext): CleanupMethods {
  return {
    planCleanup: async ({ signal } = {}) => {
      const call = { operation: "planCleanup", signal };
      const items: CleanupItem[] = [];
      for (const region of context.regions) {
        for (const [kind, { find }] of Object.entries(KINDS)) {
          for (const { id, why } of await find(context, call, region)) {
            if (why !== undefined) items.push({ kind, id: composeId(region, id), region, reason: why });
          }
        }
      }
      return items;
    },
    removeLeftover: async (item, { signal } = {}) => {
      const call = { operation: "removeLeftover", signal };
      const kind = Object.hasOwn(KINDS, item.kind) ? KINDS[item.kind] : undefined;
      const place = splitId(item.id);
      if (kind === undefined || place?.region === undefined) {
        throw refusal("INVALID_SPEC", call.operation, `${item.kind} ${item.id} is none of planCleanup's answers`);
      }
      return remove(context, call, kind, place.region, place.nativeId);
    },
  };
}

/** Looks once more, as the plan may be as old as the question that a person was asked; then EC2 itself decides. */
async function remove(
  context: AwsContext,
  call: Call,
  kind: OwnKind,
  region: string,
  id: string,
): Promise<"removed" | "in-use"> {
  const now = (await kind.find(context, call, region)).find((thing) => thing.id === id);
  if (now === undefined) return "removed";
  if (now.why === undefined) return "in-use";
  try {
    await kind.remove(context, call, region, id);
    return "removed";
  } catch (error) {
    const code = nativeCodeOf(error);
    if (kind.gone.test(code)) return "removed";
    if (kind.inUse.test(code)) return "in-use";
    throw error;
  }
}

async function securityGroups(context: AwsContext, call: Call, region: string): Promise<readonly OwnThing[]> {
  const groups = await context.client.all(
    call,
    region,
    "DescribeSecurityGroups",
    { Filters: ownerFilters(context.owner) },
    (page) => page.SecurityGroups,
  );
  const ids = groups.flatMap(({ GroupId }) => (GroupId === undefined ? [] : [GroupId]));
  if (ids.length === 0) return [];
  const reservations = await context.client.all(
    call,
    region,
    "DescribeInstances",
    { Filters: [{ Name: "instance.group-id", Values: ids }], MaxResults: 1000 },
    (page) => page.Reservations,
  );
  const used = new Set(
    reservations
      .flatMap(({ Instances = [] }) => Instances)
      .filter(({ State }) => State?.Name !== "terminated")
      .flatMap(({ SecurityGroups = [] }) => SecurityGroups.map(({ GroupId }) => GroupId)),
  );
  return ids.map((id) => (used.has(id) ? { id } : { id, why: "no instance uses it" }));
}

/** A fleet's template says until when the fleet may need it, also to replace what EC2 reclaims. */
async function launchTemplates(context: AwsContext, call: Call, region: string): Promise<readonly OwnThing[]> {
  const templates = await context.client.all(
    call,
    region,
    "DescribeLaunchTemplates",
    { Filters: ownerFilters(context.owner) },
    (page) => page.LaunchTemplates,
  );
  return templates.flatMap(({ LaunchTemplateId: id, Tags }) => {
    if (id === undefined) return [];
    const until = Date.parse(ownershipOf(Tags).expiresAt ?? "");
    return [until > context.clock.now() ? { id } : { id, why: "the fleet that it was made for is over" }];
  });
}

/** Of a snapshot whose deletion broke off between the image and the disks behind it. */
async function backingSnapshots(context: AwsContext, call: Call, region: string): Promise<readonly OwnThing[]> {
  const snapshots = await context.client.all(
    call,
    region,
    "DescribeSnapshots",
    { OwnerIds: ["self"], Filters: ownerFilters(context.owner) },
    (page) => page.Snapshots,
  );
  if (snapshots.length === 0) return [];
  const images = await context.client.all(
    call,
    region,
    "DescribeImages",
    { Owners: ["self"], Filters: ownerFilters(context.owner) },
    (page) => page.Images,
  );
  const used = new Set(
    images.flatMap(({ BlockDeviceMappings = [] }) => BlockDeviceMappings.map(({ Ebs }) => Ebs?.SnapshotId)),
  );
  // An image that is still pending may not tell its snapshots yet.
  const unsure = images.some(({ State }) => State === "pending");
  return snapshots.flatMap(({ SnapshotId: id }) => {
    if (id === undefined) return [];
    return [used.has(id) || unsure ? { id } : { id, why: "its image is gone" }];
  });
}
