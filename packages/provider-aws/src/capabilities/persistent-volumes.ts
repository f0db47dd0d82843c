import type { Volume as Ec2Volume } from "@aws-sdk/client-ec2";
import { isKey, isProviderError, type Volume, type VolumeMethods } from "@slipway/core";
import { isOneOf } from "@slipway/provider-kit/filters";
import { afterRefusal, afterWrite, refusal } from "../call.ts";
import { type AwsContext, type Call, configuredRegion, lookUntilShown } from "../context.ts";
import { nativeCodeOf } from "../errors.ts";
import { nativeIdOf, regionsOf } from "../ids.ts";
import { INSTANCE_DISK, ownershipOf, TAGS, tagOf, tagsOf } from "../tags.ts";
import {
  describeVolume,
  findExistingVolume,
  findJustMadeVolume,
  findVolume,
  noteDeleted,
  ownVolumes,
  sameVolume,
  VOLUME_ID,
  volumeOfKey,
} from "./volume-lookup.ts";
import { gibOf, isGone, volumeFrom } from "./volume-view.ts";
import { firstZone, regionOfZone } from "./zones.ts";

const MOST_GENERATIONS = 20;
const MADE_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 1_000;
// An answer that tells of a volume so much older than the question is a repeated one.
const REPEATED_MS = 60_000;

/** A volume to be made, its place chosen. */
export interface NewVolume {
  readonly key: string;
  readonly sizeBytes: number;
  readonly region: string;
  readonly zone: string;
  readonly pool?: string | undefined;
}

export function volumeMethods(context: AwsContext): VolumeMethods {
  return {
    createVolume: async ({ key, sizeBytes, region, zone, signal }) => {
      const call = { operation: "createVolume", signal };
      checkVolume(call, key, sizeBytes);
      const place =
        zone === undefined
          ? configuredRegion(context, call.operation, region)
          : regionOfZone(context, call, zone, region);
      const wanted = { sizeBytes, region, zone };
      const known = await findExistingVolume(context, call, key, wanted);
      if (known !== undefined) return known;
      const made = findJustMadeVolume(context, call, key, wanted) ?? context.unclearVolumes.find(key)?.thing;
      const target = made?.region ?? place;
      return makeVolume(context, call, {
        key,
        sizeBytes,
        region: target,
        zone: zone ?? made?.zone ?? (await firstZone(context, call, target)),
      });
    },
    listVolumes: async (filter = {}, { signal } = {}) => {
      const call = { operation: "listVolumes", signal };
      const found: Volume[] = [];
      for (const region of context.regions) {
        const rows = await ownVolumes(context, call, region, filter.owner ?? context.owner);
        found.push(...rows.map((row) => volumeFrom(region, row)));
      }
      const [isId, isKey] = [isOneOf(filter.ids?.map(nativeIdOf)), isOneOf(filter.keys)];
      return found.filter(({ id, key }) => isId(nativeIdOf(id)) && isKey(key));
    },
    deleteVolume: (id, { signal } = {}) => deleteVolume(context, { operation: "deleteVolume", signal }, id),
  };
}

/**
 * Makes a volume, encrypted, with owner and key in the call that makes it. A repeated call with one token answers the
 * first one's volume, also where that one has been deleted since: then the token's generation is raised.
 */
export async function makeVolume(context: AwsContext, call: Call, wanted: NewVolume): Promise<Volume> {
  const { key, region, zone, pool } = wanted;
  const begun = context.clock.now();
  const Tags = [...tagsOf(context.owner, key), ...(pool === undefined ? [] : [{ Key: TAGS.pool, Value: pool }])];
  for (let generation = 0; generation < MOST_GENERATIONS; generation += 1) {
    const made = await createOnce(context, call, wanted, generation, Tags);
    if (made === "gone") continue;
    if (made === "another's") {
      const rival = await rivalOf(context, call, key, region);
      if (rival !== undefined) return sameVolume(call, rival, { ...wanted, zone, pool });
      continue;
    }
    const age = made.CreateTime === undefined ? 0 : begun - new Date(made.CreateTime).getTime();
    const volumeId = made.VolumeId ?? "";
    const isOver = async (): Promise<boolean> => (await describeVolume(context, call, region, volumeId)) === null;
    if (isGone(made) || (age > REPEATED_MS && (await afterWrite(call, `${volumeId} was made`, isOver)))) continue;
    const volume = volumeFrom(region, { ...made, Tags: made.Tags ?? Tags });
    context.created.add(key, volumeId, volume);
    return volume;
  }
  throw refusal("CONFLICT", call.operation, `the key ${JSON.stringify(key)} has had ${MOST_GENERATIONS} volumes`, {
    hint: "Use another key.",
  });
}

/** What another request with our token made; undefined once reads would show it, if there still were something. */
async function rivalOf(context: AwsContext, call: Call, key: string, region: string): Promise<Volume | undefined> {
  const look = () =>
    afterRefusal(call, "EC2 knows another volume under this key", () => volumeOfKey(context, call, key, region));
  return await lookUntilShown(context, call, look, LOOK_AGAIN_MS);
}

/** EC2 may know the token from another request, or from a volume that has gone. */
async function createOnce(
  context: AwsContext,
  call: Call,
  { key, sizeBytes, region, zone }: NewVolume,
  generation: number,
  tags: readonly { readonly Key: string; readonly Value: string }[],
): Promise<Ec2Volume | "another's" | "gone"> {
  const token = JSON.stringify(["volume", context.owner, key, zone, generation]);
  try {
    return await context.client.send(call, region, "CreateVolume", {
      AvailabilityZone: zone,
      Size: gibOf(sizeBytes),
      VolumeType: "gp3",
      Encrypted: true,
      ClientToken: process.getBuiltinModule("node:crypto").createHash("sha256").update(token).digest("hex"),
      TagSpecifications: [{ ResourceType: "volume", Tags: [...tags] }],
    });
  } catch (error) {
    const code = nativeCodeOf(error);
    if (code === "IdempotentParameterMismatch") return "another's";
    if (code === "InvalidVolume.NotFound") return "gone";
    if (isProviderError(error) && error.effect !== "none") context.unclearVolumes.add(key, key, { region, zone });
    throw error;
  }
}

export function mustBeTagged(call: Call, volume: Ec2Volume): void {
  if (ownershipOf(volume.Tags).owner !== null && tagOf(volume.Tags, TAGS.role) !== INSTANCE_DISK) return;
  throw refusal("CONFLICT", call.operation, `${volume.VolumeId} is a volume that Slipway did not make`);
}

export function checkVolume(call: Call, key: unknown, sizeBytes: unknown): void {
  if (!isKey(key)) throw refusal("INVALID_SPEC", call.operation, "key must be 1 to 128 printable ASCII characters");
  if (typeof sizeBytes === "number" && Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return;
  throw refusal("INVALID_SPEC", call.operation, "sizeBytes must be a whole number above 0");
}

async function deleteVolume(context: AwsContext, call: Call, id: string): Promise<void> {
  const native = nativeIdOf(id);
  if (!VOLUME_ID.test(native)) return;
  const found = await findVolume(context, call, id);
  if (found !== null && isGone(found.volume)) return;
  if (found !== null) mustBeTagged(call, found.volume);
  // Also what EC2 does not show: it may be so new that only a write finds it.
  for (const region of found === null ? regionsOf(context, id) : [found.region]) {
    await deleteIn(context, call, region, native, id);
  }
}

async function deleteIn(context: AwsContext, call: Call, region: string, native: string, id: string): Promise<void> {
  const until = context.clock.now() + MADE_WITHIN_MS;
  for (;;) {
    const state = await deletedOr(context, call, region, native);
    if (state === "deleted") return noteDeleted(context, native);
    if (state === "attached") {
      throw refusal("INVALID_STATE", call.operation, `${id} is attached to an instance`, {
        hint: "Terminate the instance, or release the volume, first.",
      });
    }
    if (context.clock.now() >= until) throw refusal("BUSY", call.operation, `${id} is still being made`);
    await context.clock.sleep(LOOK_AGAIN_MS, call.signal);
  }
}

/** `unfinished`: EC2 is still making it, and deletes it once that is done. */
async function deletedOr(
  context: AwsContext,
  call: Call,
  region: string,
  volumeId: string,
): Promise<"deleted" | "attached" | "unfinished"> {
  try {
    await context.client.send(call, region, "DeleteVolume", { VolumeId: volumeId });
    return "deleted";
  } catch (error) {
    const code = nativeCodeOf(error);
    if (code === "InvalidVolume.NotFound") return "deleted";
    if (code === "VolumeInUse") return "attached";
    if (code === "IncorrectState") return "unfinished";
    throw error;
  }
}
