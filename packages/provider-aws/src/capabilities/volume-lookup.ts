import type { Volume as Ec2Volume } from "@aws-sdk/client-ec2";
import type { Volume } from "@slipway/core";
import { refusal } from "../call.ts";
import { type AwsContext, type Call, lookUntilShown } from "../context.ts";
import { nullIfRefused } from "../errors.ts";
import { inRegions, nativeIdOf } from "../ids.ts";
import { INSTANCE_DISK, keyFilter, ownerFilters, TAGS, tagOf } from "../tags.ts";
import { gibOf, isGone, volumeFrom } from "./volume-view.ts";

export const VOLUME_ID: RegExp = /^vol-[0-9a-f]{8,17}$/;
const LOOK_AGAIN_MS = 1_000;

/**
 * The volume that exists under the key; undefined if there is none. CONFLICT where it differs from what is wanted. One that an
 * attempt without an answer may have made in another place is looked for as long as reads may lag: EC2 knows a token in one
 * place alone.
 */
export async function findExistingVolume(
  context: AwsContext,
  call: Call,
  key: string,
  wanted: Parameters<typeof sameVolume>[2],
): Promise<Volume | undefined> {
  const listed = await volumeOfKey(context, call, key);
  if (listed !== undefined) return sameVolume(call, listed, wanted);
  const unclear = context.unclearVolumes.find(key)?.thing;
  if (unclear === undefined) return undefined;
  const { region = unclear.region, zone = unclear.zone } = wanted;
  if (region === unclear.region && zone === unclear.zone) return undefined;
  const shown = await lookUntilShown(context, call, () => volumeOfKey(context, call, key), LOOK_AGAIN_MS);
  if (shown !== undefined) return sameVolume(call, shown, wanted);
  context.unclearVolumes.drop(key);
  return undefined;
}

/**
 * The volume of the key that this process made so shortly ago that it is not listed. CONFLICT where it differs from what is
 * wanted: in another place EC2 would not know the token, and make a second one.
 */
export function findJustMadeVolume(
  context: AwsContext,
  call: Call,
  key: string,
  wanted: Parameters<typeof sameVolume>[2],
): Volume | undefined {
  const made = context.created.find(key)?.thing;
  return made === undefined ? undefined : sameVolume(call, made, wanted);
}

/** The volume as it is known, where it is what is wanted; else it throws CONFLICT with effect `none`. */
export function sameVolume(
  call: Call,
  known: Volume,
  wanted: {
    readonly sizeBytes: number;
    readonly region?: string | undefined;
    readonly zone?: string | undefined;
    readonly pool?: string | undefined;
  },
): Volume {
  const differs =
    gibOf(known.sizeBytes) !== gibOf(wanted.sizeBytes)
      ? "another size"
      : wanted.zone !== undefined && wanted.zone !== known.zone
        ? "another zone"
        : wanted.region !== undefined && wanted.region !== known.region
          ? "another region"
          : wanted.pool !== known.pool && (wanted.pool !== undefined || call.operation === "warmVolume")
            ? "another pool"
            : null;
  if (differs === null) return known;
  throw refusal("CONFLICT", call.operation, `${known.id} has the key ${JSON.stringify(known.key)} and ${differs}`, {
    nativeId: known.id,
    hint: "Use another key, or delete the volume first.",
  });
}

/** The volume under this owner's key, in one region or in all; undefined if there is none. */
export async function volumeOfKey(
  context: AwsContext,
  call: Call,
  key: string,
  region?: string,
): Promise<Volume | undefined> {
  for (const place of region === undefined ? context.regions : [region]) {
    const [found] = await ownVolumes(context, call, place, context.owner, [keyFilter(context.owner, key)]);
    if (found !== undefined) return volumeFrom(place, found);
  }
  return undefined;
}

/** An owner's volumes in a region, `"*"` for all that bear our tag; without those that are going, and instances' own disks. */
export async function ownVolumes(
  context: AwsContext,
  call: Call,
  region: string,
  owner: string,
  filters: readonly { readonly Name: string; readonly Values: string[] }[] = [],
): Promise<readonly Ec2Volume[]> {
  const rows = await context.client.all(
    call,
    region,
    "DescribeVolumes",
    { Filters: [...ownerFilters(owner), ...filters], MaxResults: 500 },
    (page) => page.Volumes,
  );
  return rows.filter(
    (row) => !isGone(row) && !isDeleted(context, row.VolumeId) && tagOf(row.Tags, TAGS.role) !== INSTANCE_DISK,
  );
}

/** Has this process deleted it so shortly ago that reads may still show it? */
function isDeleted({ deleted }: AwsContext, volumeId: string | undefined): boolean {
  return deleted.byId(volumeId ?? "") !== undefined;
}

/** To be called once EC2 has deleted a volume, or says that there is none. */
export function noteDeleted({ created, deleted }: AwsContext, volumeId: string): void {
  created.drop(volumeId);
  deleted.add(volumeId, volumeId, true);
}

/** Null if EC2 says that there is none, or this process has deleted it. */
export async function describeVolume(
  context: AwsContext,
  call: Call,
  region: string,
  volumeId: string,
): Promise<Ec2Volume | null> {
  const answer = await nullIfRefused(/^InvalidVolume(ID)?\.(NotFound|Malformed)$/, () =>
    context.client.send(call, region, "DescribeVolumes", { VolumeIds: [volumeId] }),
  );
  const found = answer?.Volumes?.[0];
  return found === undefined || found.State === "deleted" || isDeleted(context, volumeId) ? null : found;
}

/** The volume in its region, or in every configured one for a bare id. */
export async function findVolume(
  context: AwsContext,
  call: Call,
  id: string,
): Promise<{ readonly region: string; readonly volume: Ec2Volume } | null> {
  const native = nativeIdOf(id);
  if (!VOLUME_ID.test(native)) return null;
  return inRegions(context, id, async (region) => {
    const volume = await describeVolume(context, call, region, native);
    return volume === null ? null : { region, volume };
  });
}
