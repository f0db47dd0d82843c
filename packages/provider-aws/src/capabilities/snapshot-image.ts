import type { Image } from "@aws-sdk/client-ec2";
import type { Snapshot, SnapshotStatus } from "@slipway/core";
import { PROVIDER } from "../call.ts";
import { composeId } from "../ids.ts";
import { ownershipOf, TAGS, tagOf } from "../tags.ts";

/** One disk of the instance, as the image keeps it. */
export interface AWSSnapshotDisk {
  readonly device: string;
  /** The EBS snapshot behind it; what it costs is billed on it. */
  readonly snapshotId: string;
  readonly sizeGib: number | null;
}

/** A snapshot of an instance: an image (AMI) and the EBS snapshots behind it. */
export interface AWSSnapshot extends Snapshot {
  /** The image's own id, as `ami-0abc…`. */
  readonly imageId: string;
  /** In EC2's words: pending, available, invalid, deregistered, transient, failed, error or disabled. */
  readonly imageState: string;
  readonly disks: readonly AWSSnapshotDisk[];
  readonly architecture: string | null;
  /** Why it failed, in EC2's words. */
  readonly stateReason: { readonly code: string; readonly message: string } | null;
}

// `transient` is what a copy shows before it is pending; `disabled` and `deregistered` can no longer be launched.
const STATUSES: ReadonlyMap<string, SnapshotStatus> = new Map([
  ["pending", "pending"],
  ["transient", "pending"],
  ["available", "available"],
  ["invalid", "failed"],
  ["failed", "failed"],
  ["error", "failed"],
  ["disabled", "failed"],
  ["deregistered", "failed"],
]);

/** A state that nobody has told us of yet is still on its way: `failed` would be final for whoever waits. */
export function snapshotStatus(state: string | undefined): SnapshotStatus {
  return STATUSES.get(state ?? "") ?? "pending";
}

const GIB = 1024 ** 3;

/**
 * What EC2 tells of an image, as our type.
 *
 * @example
 * ```ts
 * import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
 *
 * const { Images = [] } = await new EC2Client({ region: "eu-central-1" }).send(new DescribeImagesCommand({ Owners: ["self"] }));
 * for (const image of Images) console.log(materializeSnapshot("eu-central-1", image).status);
 * ```
 */
export function materializeSnapshot(region: string, image: Image): AWSSnapshot {
  const { owner, key, name } = ownershipOf(image.Tags);
  const imageId = image.ImageId ?? "";
  const disks = disksOf(image);
  const sizes = disks.flatMap(({ sizeGib }) => (sizeGib === null ? [] : [sizeGib]));
  const { Code: code, Message: message } = image.StateReason ?? {};
  return {
    id: composeId(region, imageId),
    provider: PROVIDER,
    status: snapshotStatus(image.State),
    key,
    owner,
    ...(name === undefined ? {} : { name }),
    instanceId: instanceOf(region, image),
    region,
    ...(sizes.length === 0 ? {} : { sizeBytes: sizes.reduce((sum, gib) => sum + gib, 0) * GIB }),
    createdAt: isoTime(image.CreationDate),
    imageId,
    imageState: image.State ?? "unknown",
    disks,
    architecture: image.Architecture ?? null,
    stateReason: code === undefined ? null : { code, message: message ?? "" },
  };
}

/** The disks that have a snapshot; an instance store has none. */
export function disksOf(image: Image): readonly AWSSnapshotDisk[] {
  return (image.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) =>
    Ebs?.SnapshotId === undefined
      ? []
      : [{ device: DeviceName ?? "", snapshotId: Ebs.SnapshotId, sizeGib: Ebs.VolumeSize ?? null }],
  );
}

function instanceOf(region: string, image: Image): string | null {
  const native = tagOf(image.Tags, TAGS.sourceInstance) ?? image.SourceInstanceId;
  return native === undefined ? null : composeId(region, native);
}

function isoTime(text: string | undefined): string | null {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
