import type { Image } from "@aws-sdk/client-ec2";
import { isKey, nameFor, type SnapshotMethods } from "@slipway/core";
import { afterRefusal, afterWrite, refusal } from "../call.ts";
import { type AwsContext, type Call, lookUntilShown } from "../context.ts";
import { nativeCodeOf, nullIfRefused } from "../errors.ts";
import { inRegions, nativeIdOf, regionsOf } from "../ids.ts";
import { ownerFilters, ownershipOf, TAGS, type Tag, tagsOf } from "../tags.ts";
import { type AWSSnapshot, disksOf, materializeSnapshot, snapshotStatus } from "./snapshot-image.ts";

const IMAGE_ID = /^ami-[0-9a-f]{8,17}$/;
const LOOK_AGAIN_MS = 1000;

export function snapshotMethods(context: AwsContext): SnapshotMethods<AWSSnapshot> {
  return {
    createSnapshot: (instanceId, { key, name, signal }) =>
      createSnapshot(context, { operation: "createSnapshot", signal }, instanceId, key, name),
    getSnapshotStatus: async (id, { signal } = {}) => {
      const found = await findImage(context, { operation: "getSnapshotStatus", signal }, id);
      return found === null ? null : snapshotStatus(found.image.State);
    },
    deleteSnapshot: (id, { signal } = {}) => deleteSnapshot(context, { operation: "deleteSnapshot", signal }, id),
    listSnapshots: async ({ instanceId, owner } = {}, { signal } = {}) => {
      const call = { operation: "listSnapshots", signal };
      const found: AWSSnapshot[] = [];
      for (const region of context.regions) {
        const images = await ownImages(context, call, region, owner ?? context.owner);
        found.push(...images.map((image) => materializeSnapshot(region, image)));
      }
      const native = instanceId === undefined ? undefined : nativeIdOf(instanceId);
      return found.filter((one) => native === undefined || nativeIdOf(one.instanceId ?? "") === native);
    },
  };
}

/**
 * A snapshot of an instance is an image of it: all its disks, and ready to be launched. Never with a reboot, so that it
 * holds what a power cut would leave; who wants more stops what writes first. EC2 keeps the names of images unique, and
 * the name comes from owner, key and instance: of two processes that ask at once one makes it, the other finds it.
 */
async function createSnapshot(
  context: AwsContext,
  call: Call,
  instanceId: string,
  key: string,
  name: string | undefined,
): Promise<AWSSnapshot> {
  if (!isKey(key)) throw refusal("INVALID_SPEC", call.operation, "key must be 1 to 128 printable ASCII characters");
  const { region, nativeId: native } = await context.lifeCycle().managed(call, instanceId);
  const title = imageName(context.owner, key, native);
  const known = await imageNamed(context, call, region, title);
  if (known !== undefined) return ours(call, region, known);
  const ownTags: readonly Tag[] = [
    ...tagsOf(context.owner, key),
    { Key: TAGS.sourceInstance, Value: native },
    ...(name === undefined ? [] : [{ Key: TAGS.name, Value: name }]),
  ];
  try {
    const { ImageId } = await context.client.send(call, region, "CreateImage", {
      InstanceId: native,
      Name: title,
      NoReboot: true,
      // The disks behind it are billed one by one: they too must say whose they are.
      TagSpecifications: [
        { ResourceType: "image", Tags: [...ownTags] },
        { ResourceType: "snapshot", Tags: [...ownTags] },
      ],
    });
    return materializeSnapshot(region, { ImageId, State: "pending", Tags: [...ownTags] });
  } catch (error) {
    if (nativeCodeOf(error) !== "InvalidAMIName.Duplicate") throw error;
    return ours(call, region, await soonNamed(context, call, region, title));
  }
}

/** `slip-…`, as the names of instances: 3 to 128 characters, unique in an account and region. */
function imageName(owner: string, key: string, instanceId: string): string {
  return nameFor(owner, `${key}\n${instanceId}`);
}

/** The other process's image; a listing may show it a little later than its name is taken. */
async function soonNamed(context: AwsContext, call: Call, region: string, title: string): Promise<Image> {
  const look = () =>
    afterRefusal(call, "EC2 has an image of this name", () => imageNamed(context, call, region, title));
  const found = await lookUntilShown(context, call, look, LOOK_AGAIN_MS);
  if (found !== undefined) return found;
  throw refusal("BUSY", call.operation, `the image ${title} exists and is not shown yet`);
}

async function imageNamed(context: AwsContext, call: Call, region: string, title: string): Promise<Image | undefined> {
  const { Images = [] } = await context.client.send(call, region, "DescribeImages", {
    Owners: ["self"],
    Filters: [{ Name: "name", Values: [title] }],
  });
  // One that this process has deleted may be shown for a while.
  return Images.find(
    ({ State, ImageId = "" }) => State !== "deregistered" && context.deleted.byId(ImageId) === undefined,
  );
}

function ours(call: Call, region: string, image: Image): AWSSnapshot {
  if (ownershipOf(image.Tags).owner !== null) return materializeSnapshot(region, image);
  throw refusal("CONFLICT", call.operation, `${image.ImageId} has the name of our snapshot and not our tags`, {
    nativeId: image.ImageId,
  });
}

/**
 * The image, and then every disk's snapshot that EC2 did not delete with it: partitions and emulators exist that ignore
 * the flag. What another image uses stays. Where an earlier call broke off in between, the snapshots are found by what
 * EC2 itself writes on them.
 */
async function deleteSnapshot(context: AwsContext, call: Call, id: string): Promise<void> {
  const found = await findImage(context, call, id);
  if (found === null) return deleteUnseen(context, call, id);
  const { region, image } = found;
  if (ownershipOf(image.Tags).owner === null) {
    throw refusal("CONFLICT", call.operation, `${image.ImageId} is an image that Slipway did not make`);
  }
  const disks = disksOf(image).map(({ snapshotId }) => snapshotId);
  await nullIfRefused(/^InvalidAMIID\.(NotFound|Unavailable)$/, () =>
    context.client.send(call, region, "DeregisterImage", {
      ImageId: image.ImageId ?? "",
      DeleteAssociatedSnapshots: true,
    }),
  );
  context.deleted.add(image.Name ?? "", image.ImageId ?? "", true);
  await afterWrite(call, "the image is deleted", () => deleteDisks(context, call, region, disks));
}

/** It is gone, but for disks that a broken-off deletion left; or it is so new that only a write finds it. */
async function deleteUnseen(context: AwsContext, call: Call, id: string): Promise<void> {
  const native = nativeIdOf(id);
  if (!IMAGE_ID.test(native)) return;
  for (const region of regionsOf(context, id)) {
    await nullIfRefused(/^InvalidAMIID\.(NotFound|Unavailable)$/, () =>
      context.client.send(call, region, "DeregisterImage", { ImageId: native, DeleteAssociatedSnapshots: true }),
    );
    const snapshots = await context.client.all(
      call,
      region,
      "DescribeSnapshots",
      { OwnerIds: ["self"], Filters: [...ownerFilters("*"), { Name: "description", Values: [`*${native}*`] }] },
      (page) => page.Snapshots,
    );
    await deleteDisks(
      context,
      call,
      region,
      snapshots.flatMap(({ SnapshotId }) => (SnapshotId === undefined ? [] : [SnapshotId])),
    );
  }
}

async function deleteDisks(context: AwsContext, call: Call, region: string, ids: readonly string[]): Promise<void> {
  for (const SnapshotId of ids) {
    await nullIfRefused(/^InvalidSnapshot\.(NotFound|InUse)$/, () =>
      context.client.send(call, region, "DeleteSnapshot", { SnapshotId }),
    );
  }
}

/** The image in its region, or in every configured one for a bare id; null only if EC2 says that there is none. */
async function findImage(
  context: AwsContext,
  call: Call,
  id: string,
): Promise<{ readonly region: string; readonly image: Image } | null> {
  const native = nativeIdOf(id);
  if (!IMAGE_ID.test(native)) return null;
  return inRegions(context, id, async (region) => {
    const image = await imageById(context, call, region, native);
    return image === null ? null : { region, image };
  });
}

/** Null also once it is deregistered: EC2 goes on showing it for a while. */
export async function imageById(
  context: AwsContext,
  call: Call,
  region: string,
  imageId: string,
): Promise<Image | null> {
  const found = await nullIfRefused(/^InvalidAMIID\.(NotFound|Unavailable|Malformed)$/, () =>
    context.client.send(call, region, "DescribeImages", { ImageIds: [imageId] }),
  );
  const image = found?.Images?.[0];
  return image === undefined || image.State === "deregistered" ? null : image;
}

/** The image that `fromSnapshot` means, in the region of the spawn; INVALID_SPEC where it cannot be launched there. */
export async function imageOfSnapshot(context: AwsContext, call: Call, region: string, id: string): Promise<Image> {
  const native = nativeIdOf(id);
  const wrong = (why: string): Error => refusal("INVALID_SPEC", call.operation, `fromSnapshot: ${why}`);
  if (!IMAGE_ID.test(native)) throw wrong(`${JSON.stringify(id)} is no snapshot of this provider`);
  if (!regionsOf(context, id).includes(region)) throw wrong(`${id} is not in ${region}, and images do not travel`);
  const image = await imageById(context, call, region, native);
  if (image === null) throw wrong(`there is no ${id}`);
  const status = snapshotStatus(image.State);
  if (status === "available") return image;
  throw wrong(status === "pending" ? `${id} is not available yet` : `${id} has failed`);
}

async function ownImages(context: AwsContext, call: Call, region: string, owner: string): Promise<readonly Image[]> {
  const images = await context.client.all(
    call,
    region,
    "DescribeImages",
    { Owners: ["self"], Filters: ownerFilters(owner) },
    (page) => page.Images,
  );
  return images.filter(({ State }) => State !== "deregistered");
}
