import type { Volume as Ec2Volume } from "@aws-sdk/client-ec2";
import { isProviderError, type Volume, type WarmVolumeMethods } from "@slipway/core";
import { afterRefusal, afterWrite, refusal } from "../call.ts";
import { type AwsContext, type Call, lookUntilShown } from "../context.ts";
import { nativeCodeOf, nullIfRefused } from "../errors.ts";
import type { AWSInstance } from "../instance.ts";
import { TAGS } from "../tags.ts";
import { type Attached, attach, running } from "./attach.ts";
import { checkVolume, makeVolume, mustBeTagged } from "./persistent-volumes.ts";
import { describeVolume, findExistingVolume, findJustMadeVolume, findVolume, ownVolumes } from "./volume-lookup.ts";
import { keeperOf, volumeFrom } from "./volume-view.ts";
import { regionOfZone } from "./zones.ts";

const LOOK_AGAIN_MS = 500;
const ATTACHABLE: ReadonlySet<string> = new Set(["running", "stopped"]);

export function warmVolumeMethods(context: AwsContext): WarmVolumeMethods {
  return {
    warmVolume: async ({ key, pool, sizeBytes, zone, signal }) => {
      const call = { operation: "warmVolume", signal };
      checkVolume(call, key, sizeBytes);
      checkPool(call, pool);
      const region = regionOfZone(context, call, zone);
      const known = await findExistingVolume(context, call, key, { sizeBytes, zone, pool });
      if (known !== undefined) return known;
      // Its token answers it, unless it differs from what is wanted.
      findJustMadeVolume(context, call, key, { sizeBytes, zone, pool });
      return makeVolume(context, call, { key, sizeBytes, region, zone, pool });
    },
    claimWarmVolume: async ({ pool, instanceId, signal }) => {
      const call = { operation: "claimWarmVolume", signal };
      checkPool(call, pool);
      const instance = await context.lifeCycle().managed(call, instanceId);
      mustTakeVolumes(call, instance);
      return claim(context, call, instance, pool);
    },
    releaseWarmVolume: async (id, { signal } = {}) => {
      const call = { operation: "releaseWarmVolume", signal };
      const found = await findVolume(context, call, id);
      if (found === null) return;
      mustBeTagged(call, found.volume);
      if (poolOf(found.volume) === undefined) {
        throw refusal("INVALID_STATE", call.operation, `${id} belongs to no warm pool`);
      }
      context.claimed.drop(found.volume.VolumeId ?? "");
      context.unclearClaims.drop(found.volume.VolumeId ?? "");
      // Also where EC2 shows it as free: the claim may be so new that only a write finds it.
      await detach(context, call, found.region, found.volume.VolumeId ?? "");
    },
  };
}

/**
 * Attaches one free volume of the pool in the instance's zone, or answers null. Whether it was free is for EC2 to say:
 * whoever is told that a volume is in use has lost it, and tries the next.
 */
export async function claim(
  context: AwsContext,
  call: Call,
  instance: AWSInstance,
  pool: string,
): Promise<Volume | null> {
  const { region, zone, nativeId: holder } = instance;
  const lost = context.unclearClaims.find(holder)?.id;
  if (lost !== undefined) {
    // Until it is known what became of it, it is not forgotten.
    const held = await afterRefusal(call, `${lost} may be attached by an earlier claim`, async () =>
      (await isHeld(context, call, instance, lost)) ? describeVolume(context, call, region, lost) : null,
    );
    context.unclearClaims.drop(lost);
    if (held !== null) return volumeFrom(region, held);
  }
  for (const volume of await freeVolumes(context, call, region, pool, zone)) {
    const volumeId = volume.VolumeId ?? "";
    // It looks free, and is this process's own, of an earlier claim.
    if (context.claimed.byId(volumeId) !== undefined) continue;
    const outcome = await attempt(context, call, instance, volumeId);
    const isOurs =
      outcome === "attached" ||
      (outcome === "taken" &&
        (await afterRefusal(call, `${volumeId} is in use`, () => isHeld(context, call, instance, volumeId))));
    if (!isOurs) continue;
    context.claimed.add(holder, volumeId, true);
    const now = await afterWrite(call, `${volumeId} is attached`, () =>
      describeVolume(context, call, region, volumeId),
    );
    const attachment = { InstanceId: holder, State: "attached" as const };
    // The attachment is known; a listing may show it later.
    const shown =
      now !== null && keeperOf(context, now) === holder
        ? now
        : { ...volume, State: "in-use" as const, Attachments: [attachment] };
    return volumeFrom(region, shown);
  }
  return null;
}

async function attempt(context: AwsContext, call: Call, instance: AWSInstance, volumeId: string): Promise<Attached> {
  try {
    return await attach(context, call, instance, volumeId);
  } catch (error) {
    if (isProviderError(error) && error.effect === "unknown") {
      context.unclearClaims.add(instance.nativeId, volumeId, true);
    }
    throw error;
  }
}

/**
 * Who took it: this very instance, if an earlier call was cut off before it read the answer. EC2 may show it a little
 * later.
 */
async function isHeld(
  context: AwsContext,
  call: Call,
  { region, nativeId }: AWSInstance,
  volumeId: string,
): Promise<boolean> {
  const look = async () => keeperOf(context, await describeVolume(context, call, region, volumeId));
  return (await lookUntilShown(context, call, look, LOOK_AGAIN_MS)) === nativeId;
}

/**
 * The second half of a spawn with `warmVolume`: waits until the instance runs, and claims a volume of the pool in its
 * zone. Where none is free the instance goes on without. A repeated spawn finds the volume that the first one claimed.
 */
export async function claimAtSpawn(
  context: AwsContext,
  call: Call,
  region: string,
  instanceId: string,
  pool: string,
): Promise<void> {
  const instance = await running(context, call, region, instanceId);
  const ours = await poolVolumes(context, call, region, pool);
  if (ours.some((volume) => keeperOf(context, volume) === instanceId)) return;
  await claim(context, call, instance, pool);
}

/** This owner's volumes of a pool that look free, in one zone or in all of the region; in an order of no meaning. */
export async function freeVolumes(
  context: AwsContext,
  call: Call,
  region: string,
  pool: string,
  zone?: string,
): Promise<readonly Ec2Volume[]> {
  const rows = await poolVolumes(context, call, region, pool);
  return rows.filter((row) => row.State === "available" && (zone === undefined || row.AvailabilityZone === zone));
}

/** By the tag's name alone: what a filter reads as a wildcard may stand in a pool's name. */
export async function poolVolumes(
  context: AwsContext,
  call: Call,
  region: string,
  pool: string,
): Promise<readonly Ec2Volume[]> {
  const rows = await ownVolumes(context, call, region, context.owner, [{ Name: "tag-key", Values: [TAGS.pool] }]);
  return rows.filter((row) => poolOf(row) === pool);
}

/** From this instance alone where one is named: `elsewhere` is that another has it, and nothing was done. */
export async function detach(
  context: AwsContext,
  call: Call,
  region: string,
  volumeId: string,
  instanceId?: string,
): Promise<"detached" | "elsewhere"> {
  const wanted = { VolumeId: volumeId, ...(instanceId === undefined ? {} : { InstanceId: instanceId }) };
  try {
    // Refused so, it is free, or it is gone: there is nothing to undo.
    await nullIfRefused(/^(IncorrectState|InvalidVolume\.NotFound)$/, () =>
      context.client.send(call, region, "DetachVolume", wanted),
    );
  } catch (error) {
    if (nativeCodeOf(error) === "InvalidAttachment.NotFound") return "elsewhere";
    if (isProviderError(error) && error.effect !== "none") context.released.add(volumeId, volumeId, true);
    throw error;
  }
  context.released.add(volumeId, volumeId, true);
  return "detached";
}

function poolOf(volume: Ec2Volume): string | undefined {
  return volume.Tags?.find(({ Key }) => Key === TAGS.pool)?.Value;
}

function mustTakeVolumes(call: Call, { nativeId, state }: AWSInstance): void {
  if (ATTACHABLE.has(state)) return;
  const passes = state === "pending" || state === "stopping";
  throw refusal(passes ? "BUSY" : "INVALID_STATE", call.operation, `${nativeId} is ${state}`, {
    hint: "EC2 attaches volumes only to an instance that runs or is stopped.",
  });
}

function checkPool(call: Call, pool: unknown): void {
  if (typeof pool === "string" && pool !== "" && pool.length <= 256) return;
  throw refusal("INVALID_SPEC", call.operation, "pool must be a text of 1 to 256 characters");
}
