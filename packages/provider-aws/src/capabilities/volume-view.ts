import type { Volume as Ec2Volume } from "@aws-sdk/client-ec2";
import type { Volume } from "@slipway/core";
import { PROVIDER } from "../call.ts";
import type { AwsContext } from "../context.ts";
import { composeId } from "../ids.ts";
import { ownershipOf, TAGS } from "../tags.ts";

const GIB = 1024 ** 3;

const STATUSES: ReadonlyMap<string, Volume["status"]> = new Map([
  ["creating", "pending"],
  ["available", "available"],
  ["in-use", "attached"],
  ["deleting", "deleting"],
  ["deleted", "deleting"],
  ["error", "error"],
]);

/** What EC2 tells of a volume, as the contract's type. */
export function volumeFrom(region: string, volume: Ec2Volume): Volume {
  const { owner, key } = ownershipOf(volume.Tags);
  const pool = volume.Tags?.find(({ Key }) => Key === TAGS.pool)?.Value;
  const holder = holderOf(volume);
  return {
    id: composeId(region, volume.VolumeId ?? ""),
    provider: PROVIDER,
    status: STATUSES.get(volume.State ?? "") ?? "unknown",
    key,
    owner,
    sizeBytes: (volume.Size ?? 0) * GIB,
    region,
    ...(volume.AvailabilityZone === undefined ? {} : { zone: volume.AvailabilityZone }),
    attachedTo: holder === undefined ? null : composeId(region, holder),
    ...(pool === undefined ? {} : { pool }),
    createdAt: volume.CreateTime === undefined ? null : new Date(volume.CreateTime).toISOString(),
  };
}

/** The instance that has it, or is getting it or letting it go. */
export function holderOf(volume: Ec2Volume): string | undefined {
  return volume.Attachments?.find(({ State }) => State !== "detached")?.InstanceId;
}

/** The instance that has it, or is getting it: not one that it is on its way out of, as far as this process knows. */
export function keeperOf({ released }: Pick<AwsContext, "released">, volume: Ec2Volume | null): string | undefined {
  const kept = volume?.Attachments?.find(({ State }) => State !== "detached" && State !== "detaching");
  return released.byId(volume?.VolumeId ?? "") === undefined ? kept?.InstanceId : undefined;
}

/** EC2 sells whole GiB. */
export function gibOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / GIB);
}

/** Does it still cost anything? */
export function isGone(volume: Ec2Volume): boolean {
  return volume.State === "deleted" || volume.State === "deleting";
}
