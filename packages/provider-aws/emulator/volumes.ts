import { z } from "zod";
import {
  type ActionTable,
  action,
  type Call,
  filled,
  filters,
  flag,
  list,
  paging,
  tagSpecifications,
  text,
  whole,
} from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, oneFound, SNAPSHOT, VOLUME } from "./found.ts";
import { time } from "./instance-view.ts";
import { checkReachable } from "./instances.ts";
import { paged } from "./paging.ts";
import { checkSpecifications, tagSet, tagsFor } from "./tagging.ts";
import type { Volume } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { withToken } from "./tokens.ts";
import { allAt, newId } from "./world.ts";

const TYPES = ["standard", "gp2", "gp3", "io1", "io2", "st1", "sc1"] as const;
const MOST_GIB = 65_536;

const create = z.strictObject({
  AvailabilityZone: filled,
  Size: whole.optional(),
  VolumeType: z.enum(TYPES).optional(),
  Iops: whole.optional(),
  Throughput: whole.optional(),
  Encrypted: flag.optional(),
  KmsKeyId: filled.optional(),
  SnapshotId: text.optional(),
  MultiAttachEnabled: flag.optional(),
  VolumeInitializationRate: whole.optional(),
  ClientToken: text.optional(),
  TagSpecification: tagSpecifications.optional(),
});
const describe = z.strictObject({ VolumeId: list(filled).optional(), Filter: filters.optional(), ...paging });
const remove = z.strictObject({ VolumeId: filled });

const FILTERS: FilterTable<Volume> = {
  "volume-id": ({ id }) => [id],
  status: ({ state }) => [state],
  "availability-zone": ({ zone }) => [zone],
  size: ({ sizeGib }) => [String(sizeGib)],
  "volume-type": ({ type }) => [type],
  encrypted: ({ encrypted }) => [String(encrypted)],
  "snapshot-id": ({ snapshotId }) => [snapshotId ?? undefined],
  "create-time": ({ createdAt }) => [time(createdAt)],
  "attachment.instance-id": ({ attachment }) => [attachment?.instanceId],
  "attachment.status": ({ attachment }) => [attachment?.status],
  "attachment.device": ({ attachment }) => [attachment?.device],
  "attachment.delete-on-termination": ({ attachment }) =>
    attachment === null ? [] : [String(attachment.deleteOnTermination)],
};

export const volumeActions: ActionTable = {
  CreateVolume: action(create, (call, request) => {
    const { region, now } = call;
    checkSpecifications(request.TagSpecification, ["volume"]);
    const { AvailabilityZone: zone } = request;
    if (!region.zones.includes(zone)) refuse("InvalidZone.NotFound", `The zone '${zone}' does not exist.`);
    checkReachable(region.impaired, zone);
    const { ids } = withToken(call, "CreateVolume", request.ClientToken, () => [createVolume(call, request).id]);
    return volumeFields(oneFound(VOLUME, region.volumes, ids[0] ?? "", now));
  }),
  DescribeVolumes: action(describe, ({ region, seenAt }, { VolumeId, Filter, ...page }) => {
    if (VolumeId !== undefined && page.MaxResults !== undefined) {
      refuse("InvalidParameterCombination", "The parameter volumeSet cannot be used with the parameter maxResults");
    }
    const all =
      VolumeId === undefined ? allAt(region.volumes, seenAt) : found(VOLUME, region.volumes, VolumeId, seenAt);
    const { items, nextToken } = paged("DescribeVolumes", filtered(all, Filter, FILTERS), page, 1);
    return { volumeSet: items.map(volumeFields), nextToken };
  }),
  DeleteVolume: action(remove, ({ region, world, now }, { VolumeId }) => {
    const volume = oneFound(VOLUME, region.volumes, VolumeId, now);
    if (volume.state === "deleting") refuse("InvalidVolume.NotFound", VOLUME.one(VolumeId));
    if (volume.attachment !== null) {
      refuse("VolumeInUse", `Volume ${VolumeId} is currently attached to ${volume.attachment.instanceId}`);
    }
    if (volume.state === "creating") refuse("IncorrectState", `The volume '${VolumeId}' is 'creating'`);
    region.volumes
      .get(VolumeId)
      ?.turn(
        now,
        { inMs: 0, patch: (one) => ({ ...one, state: "deleting" }) },
        { inMs: world.settings.volumeMs, patch: () => null },
      );
    world.changes += 1;
    return { return: true };
  }),
};

function createVolume(call: Call, request: z.infer<typeof create>): Volume {
  const { world, region, now } = call;
  // Without a type EC2 still makes its older one.
  const { SnapshotId, Size, VolumeType = "gp2" } = request;
  const snapshot = SnapshotId ? oneFound(SNAPSHOT, region.snapshots, SnapshotId, now) : undefined;
  const sizeGib = Size ?? snapshot?.sizeGib;
  if (sizeGib === undefined)
    return refuse("MissingParameter", "The request must contain the parameter size or snapshotId");
  if (sizeGib < 1 || sizeGib > MOST_GIB) {
    refuse("InvalidParameterValue", `Volume of ${sizeGib} GiB is invalid; it must be from 1 to ${MOST_GIB} GiB.`);
  }
  if (snapshot !== undefined && sizeGib < snapshot.sizeGib) {
    refuse("InvalidParameterValue", `The volume size is less than that of the snapshot '${snapshot.id}'.`);
  }
  if ((VolumeType === "io1" || VolumeType === "io2") && request.Iops === undefined) {
    refuse("InvalidParameterDependency", `The parameter iops must be specified for ${VolumeType} volumes.`);
  }
  const volume: Volume = {
    id: newId(world, "vol"),
    zone: request.AvailabilityZone,
    sizeGib,
    type: VolumeType,
    iops: request.Iops ?? (VolumeType === "gp3" ? 3_000 : null),
    throughput: request.Throughput ?? (VolumeType === "gp3" ? 125 : null),
    encrypted: request.Encrypted ?? snapshot?.encrypted ?? false,
    snapshotId: SnapshotId || null,
    createdAt: now,
    state: "creating",
    attachment: null,
    tags: tagsFor("volume", request.TagSpecification),
  };
  const line = new Timeline<Volume>(now, volume);
  line.turn(now, { inMs: world.settings.volumeMs, patch: (one) => ({ ...one, state: "available" }) });
  region.volumes.set(volume.id, line);
  world.changes += 1;
  return volume;
}

function volumeFields(one: Volume): XmlFields {
  return {
    volumeId: one.id,
    size: one.sizeGib,
    snapshotId: one.snapshotId ?? "",
    availabilityZone: one.zone,
    status: one.state,
    createTime: time(one.createdAt),
    attachmentSet: one.attachment === null ? [] : [attachmentFields(one)],
    tagSet: tagSet(one.tags),
    volumeType: one.type,
    iops: one.iops,
    throughput: one.throughput,
    encrypted: one.encrypted,
    multiAttachEnabled: false,
  };
}

export function attachmentFields({ id, attachment }: Volume): XmlFields {
  return {
    volumeId: id,
    instanceId: attachment?.instanceId,
    device: attachment?.device,
    status: attachment?.status ?? "detached",
    attachTime: attachment === null ? null : time(attachment.at),
    deleteOnTermination: attachment?.deleteOnTermination ?? false,
  };
}
