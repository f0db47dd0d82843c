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
} from "./action.ts";
import { refuse, type XmlFields } from "./answers.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { found, IMAGE, INSTANCE, oneFound } from "./found.ts";
import { time } from "./instance-view.ts";
import { paged } from "./paging.ts";
import { checkSpecifications, tagSet, tagsFor } from "./tagging.ts";
import type { Image, ImageDevice, Instance, Snapshot, Tags } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { allAt, newId } from "./world.ts";

const create = z.strictObject({
  InstanceId: filled,
  Name: z.string().regex(/^[a-zA-Z0-9()[\] ./\-'@_]{3,128}$/, "AMI names must be between 3 and 128 characters long"),
  Description: z.string().max(255).optional(),
  NoReboot: flag.optional(),
  TagSpecification: tagSpecifications.optional(),
});
const describe = z.strictObject({
  ImageId: list(filled).optional(),
  Owner: list(filled).optional(),
  ExecutableBy: list(filled).optional(),
  IncludeDeprecated: flag.optional(),
  IncludeDisabled: flag.optional(),
  Filter: filters.optional(),
  ...paging,
});
const deregister = z.strictObject({ ImageId: filled, DeleteAssociatedSnapshots: flag.optional() });

const FILTERS: FilterTable<Image> = {
  "image-id": ({ id }) => [id],
  name: ({ name }) => [name],
  state: ({ state }) => [state],
  "owner-id": ({ ownerId }) => [ownerId],
  "is-public": ({ isPublic }) => [String(isPublic)],
  architecture: ({ architecture }) => [architecture],
  "creation-date": ({ createdAt }) => [time(createdAt)],
  description: ({ description }) => [description],
  "root-device-name": ({ rootDeviceName }) => [rootDeviceName],
  "root-device-type": () => ["ebs"],
  "source-instance-id": ({ sourceInstanceId }) => [sourceInstanceId ?? undefined],
  "virtualization-type": () => ["hvm"],
  "image-type": () => ["machine"],
  "block-device-mapping.snapshot-id": ({ devices }) => devices.map(({ snapshotId }) => snapshotId),
};

export const imageActions: ActionTable = {
  CreateImage: action(create, (call, request) => {
    const { region, now, world } = call;
    checkSpecifications(request.TagSpecification, ["image", "snapshot"]);
    const instance = oneFound(INSTANCE, region.instances, request.InstanceId, now);
    if (instance.state !== "running" && instance.state !== "stopped" && instance.state !== "stopping") {
      refuse("IncorrectInstanceState", `The instance '${instance.id}' is not in the 'running' or 'stopped' state.`);
    }
    const rival = allAt(region.images, now).find(({ name, isPublic }) => name === request.Name && !isPublic);
    if (rival !== undefined) {
      refuse("InvalidAMIName.Duplicate", `AMI name ${request.Name} is already in use by AMI ${rival.id}`);
    }
    const id = newId(world, "ami");
    const image: Image = {
      id,
      name: request.Name,
      description: request.Description ?? "",
      architecture: instance.architecture,
      rootDeviceName: instance.rootDeviceName,
      devices: snapshotsOf(call, instance, id, tagsFor("snapshot", request.TagSpecification)),
      ownerId: world.settings.account,
      isPublic: false,
      createdAt: now,
      sourceInstanceId: instance.id,
      state: "pending",
      reason: null,
      tags: tagsFor("image", request.TagSpecification),
    };
    const line = new Timeline<Image>(now, image);
    line.turn(now, { inMs: world.settings.imageMs, patch: (one) => ({ ...one, state: "available" }) });
    region.images.set(id, line);
    world.changes += 1;
    return { imageId: id };
  }),
  DescribeImages: action(describe, ({ region, world, seenAt }, request) => {
    if (request.ImageId !== undefined && request.MaxResults !== undefined) {
      refuse("InvalidParameterCombination", "The parameter imageIdsSet cannot be used with the parameter maxResults");
    }
    const all =
      request.ImageId === undefined
        ? allAt(region.images, seenAt)
        : found(IMAGE, region.images, request.ImageId, seenAt);
    const owned = all.filter((one) => isOwned(one, request.Owner, world.settings.account));
    const { items, nextToken } = paged("DescribeImages", filtered(owned, request.Filter, FILTERS), request, 1);
    return { imagesSet: items.map(imageFields), nextToken };
  }),
  DeregisterImage: action(deregister, ({ region, world, now }, { ImageId, DeleteAssociatedSnapshots }) => {
    const image = oneFound(IMAGE, region.images, ImageId, now);
    if (image.isPublic) refuse("AuthFailure", `Not authorized for image:${ImageId}`);
    region.images.get(ImageId)?.turn(now, { inMs: 0, patch: () => null });
    world.changes += 1;
    if (DeleteAssociatedSnapshots !== true) return { return: true };
    const others = new Set(
      allAt(region.images, now).flatMap(({ devices }) => devices.map(({ snapshotId }) => snapshotId)),
    );
    return {
      return: true,
      deleteSnapshotResultSet: image.devices.map(({ snapshotId }) => {
        if (others.has(snapshotId)) return { snapshotId, returnCode: "skipped" };
        region.snapshots.get(snapshotId)?.turn(now, { inMs: 0, patch: () => null });
        return { snapshotId, returnCode: "success" };
      }),
    };
  }),
};

function isOwned({ ownerId, isPublic }: Image, owners: readonly string[] | undefined, account: string): boolean {
  return (
    owners === undefined ||
    owners.some((owner) =>
      owner === "self" ? ownerId === account : owner === ownerId || (owner === "amazon" && isPublic),
    )
  );
}

function snapshotsOf(call: Call, instance: Instance, imageId: string, tags: Tags): readonly ImageDevice[] {
  const { region, world, now } = call;
  return instance.devices.flatMap(({ device, volumeId, deleteOnTermination }) => {
    const volume = region.volumes.get(volumeId)?.at(now);
    if (!volume) return [];
    const id = newId(world, "snap");
    const { sizeGib, encrypted } = volume;
    const description = `Created by CreateImage(${instance.id}) for ${imageId}`;
    const snapshot: Snapshot = {
      id,
      volumeId,
      sizeGib,
      encrypted,
      description,
      startedAt: now,
      state: "pending",
      tags,
    };
    const line = new Timeline<Snapshot>(now, snapshot);
    line.turn(now, { inMs: world.settings.imageMs, patch: (one) => ({ ...one, state: "completed" }) });
    region.snapshots.set(id, line);
    return [{ device, snapshotId: id, sizeGib, encrypted, deleteOnTermination }];
  });
}

function imageFields(one: Image): XmlFields {
  return {
    imageId: one.id,
    imageLocation: `${one.ownerId}/${one.name}`,
    imageState: one.state,
    imageOwnerId: one.ownerId,
    imageOwnerAlias: one.isPublic ? "amazon" : null,
    isPublic: one.isPublic,
    productCodes: [],
    architecture: one.architecture,
    imageType: "machine",
    name: one.name,
    description: one.description,
    rootDeviceType: "ebs",
    rootDeviceName: one.rootDeviceName,
    blockDeviceMapping: one.devices.map(({ device, snapshotId, sizeGib, encrypted, deleteOnTermination }) => ({
      deviceName: device,
      ebs: { snapshotId, volumeSize: sizeGib, deleteOnTermination, volumeType: "gp3", encrypted },
    })),
    virtualizationType: "hvm",
    hypervisor: "xen",
    enaSupport: true,
    creationDate: time(one.createdAt),
    stateReason: one.reason === null ? null : { code: one.reason.code, message: one.reason.message },
    sourceInstanceId: one.sourceInstanceId,
    tagSet: tagSet(one.tags),
  };
}
