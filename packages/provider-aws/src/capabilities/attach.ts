import type { Volume as Ec2Volume } from "@aws-sdk/client-ec2";
import { isProviderError, type VolumeMount } from "@slipway/core";
import { refusal } from "../call.ts";
import type { AwsContext, Call } from "../context.ts";
import { nativeIdOf, regionsOf } from "../ids.ts";
import { type AWSInstance, isEnding } from "../instance.ts";
import { describeIn } from "../lookup.ts";
import { freeDevice } from "./attach-devices.ts";
import { describeVolume } from "./volume-lookup.ts";
import { holderOf, keeperOf } from "./volume-view.ts";

const RUNNING_WITHIN_MS = 300_000;
const FIRST_LOOK_MS = 1000;
const SLOWEST_LOOK_MS = 5000;
const MADE_WITHIN_MS = 60_000;
const LEAVES_WITHIN_MS = 5_000;
const DEVICE_TRIES = 11;

/** What became of one attempt to attach. */
export type Attached = "attached" | "taken" | "elsewhere";

/**
 * Attaches a volume to an instance that runs or is stopped. EC2 attaches a volume once: of two that try, one is told
 * `taken`, and that is how a warm pool is shared without any other lock. `elsewhere`: it is in another zone.
 */
export async function attach(
  context: AwsContext,
  call: Call,
  { region, nativeId, volumes }: AWSInstance,
  volumeId: string,
): Promise<Attached> {
  const taken = new Set(volumes.map(({ device }) => device));
  for (let attempt = 0; attempt < DEVICE_TRIES; attempt += 1) {
    const device = freeDevice(taken);
    if (device === undefined) break;
    try {
      await context.client.send(call, region, "AttachVolume", {
        InstanceId: nativeId,
        VolumeId: volumeId,
        Device: device,
      });
      context.released.drop(volumeId);
      return "attached";
    } catch (error) {
      const outcome = refusedBecause(error);
      if (outcome === "device") taken.add(device);
      else if (outcome === null) throw error;
      else return outcome;
    }
  }
  throw refusal("INVALID_STATE", call.operation, `${nativeId} has no free device name left`);
}

/** Null: not a refusal that this module has an answer to. */
function refusedBecause(error: unknown): "device" | "taken" | "elsewhere" | null {
  if (!isProviderError(error)) return null;
  const code = error.native?.code ?? "";
  if (code === "VolumeInUse" || code === "InvalidVolume.NotFound") return "taken";
  if (/^InvalidVolume(ID)?\.ZoneMismatch$/.test(code)) return "elsewhere";
  // "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use"
  if (code === "InvalidParameterValue" && /already in use/.test(error.message)) return "device";
  // A volume that is being made or is on its way out of its last instance cannot be claimed now.
  return code === "IncorrectState" && /\bvol-/.test(error.message) ? "taken" : null;
}

/** A volume that `spawn({ volumes })` names, as it was found. */
export interface FoundMount {
  readonly volumeId: string;
  readonly zone: string;
  readonly mountPath: string;
}

/**
 * The volumes of a spawn, looked up before anything is made: INVALID_SPEC where one is not there, is in another region,
 * stands in another zone than the others, or is attached to another instance. Their zone is where the instance must go.
 */
export async function mountsOf(
  context: AwsContext,
  call: Call,
  region: string,
  mounts: readonly VolumeMount[],
  own?: string,
): Promise<readonly FoundMount[]> {
  const found: FoundMount[] = [];
  for (const { id, mountPath } of mounts) {
    const native = nativeIdOf(id);
    const wrong = (why: string): Error => refusal("INVALID_SPEC", call.operation, `volumes: ${id} ${why}`);
    if (!/^vol-[0-9a-f]{8,17}$/.test(native)) throw wrong("is no volume of this provider");
    if (!regionsOf(context, id).includes(region)) throw wrong(`is not in ${region}`);
    const volume = await describeVolume(context, call, region, native);
    const made = context.created.byId(native);
    if (volume === null && made === undefined) throw wrong("is not there");
    const holder = volume === null ? undefined : holderOf(volume);
    if (holder !== undefined && holder !== own) {
      throw (await isLeaving(context, call, region, volume))
        ? passing(call, id, holder)
        : wrong(`is attached to ${holder}`);
    }
    found.push({ volumeId: native, zone: volume?.AvailabilityZone ?? made?.zone ?? "", mountPath });
  }
  const zones = new Set(found.map(({ zone }) => zone));
  if (zones.size <= 1) return found;
  throw refusal(
    "INVALID_SPEC",
    call.operation,
    `volumes: they are in ${[...zones].join(" and ")}, and no instance is in two`,
  );
}

/** Is it on its way out of its instance, or the instance itself ending? */
async function isLeaving(context: AwsContext, call: Call, region: string, volume: Ec2Volume | null): Promise<boolean> {
  const { InstanceId: holder, State } = volume?.Attachments?.find((one) => one.State !== "detached") ?? {};
  if (State === "detaching" || holder === undefined) return true;
  const instance = await describeIn(context, call, region, holder);
  return instance === null || isEnding(instance) || context.lifeCycle().isEnded(holder);
}

function passing(call: Call, id: string, holder: string): Error {
  return refusal("BUSY", call.operation, `volumes: ${id} is still attached to ${holder}, which is ending`, {
    retryAfterMs: LEAVES_WITHIN_MS,
    hint: "It is free once the instance has ended: call again then.",
  });
}

/**
 * The second half of a spawn with volumes: EC2 attaches to an instance only once it runs. It waits for that, and then
 * attaches what is not attached yet, so that a repeated spawn finishes what a killed one began. Its errors have the
 * effect `applied`: the instance is there.
 */
export async function attachAtSpawn(
  context: AwsContext,
  call: Call,
  region: string,
  instanceId: string,
  volumeIds: readonly string[],
): Promise<void> {
  if (volumeIds.length === 0) return;
  const instance = await running(context, call, region, instanceId);
  for (const volumeId of volumeIds) await attachInTheEnd(context, call, instance, volumeId);
}

/** A volume may still be made or be on its way out, or not be shown yet; another call of the same spawn may have been faster. */
async function attachInTheEnd(context: AwsContext, call: Call, instance: AWSInstance, volumeId: string): Promise<void> {
  const { region, nativeId: instanceId } = instance;
  const until = context.clock.now() + MADE_WITHIN_MS;
  for (;;) {
    const volume = await describeVolume(context, call, region, volumeId);
    const keeper = keeperOf(context, volume);
    if (keeper === instanceId) return;
    const isFree = keeper === undefined && volume?.State === "available";
    if (isFree && (await attach(context, call, instance, volumeId)) === "attached") return;
    if (keeper !== undefined || context.clock.now() >= until) throw notAttached(call, instanceId, volumeId);
    await context.clock.sleep(FIRST_LOOK_MS, call.signal);
  }
}

function notAttached(call: Call, instanceId: string, volumeId: string): Error {
  return refusal("CONFLICT", call.operation, `${instanceId} runs, but ${volumeId} could not be attached to it`, {
    effect: "applied",
    nativeId: volumeId,
    hint: "Terminate the instance, or spawn it again with the same key once the volume is free.",
  });
}

/** The instance once EC2 lets something be attached to it. */
export async function running(
  context: AwsContext,
  call: Call,
  region: string,
  instanceId: string,
): Promise<AWSInstance> {
  const until = context.clock.now() + RUNNING_WITHIN_MS;
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, SLOWEST_LOOK_MS)) {
    const instance = await describeIn(context, call, region, instanceId);
    const state = instance?.state ?? "pending";
    if (instance !== null && (state === "running" || state === "stopped")) return instance;
    if (state === "terminated" || state === "shutting-down") {
      throw refusal("INVALID_STATE", call.operation, `${instanceId} ended before its volumes were attached`, {
        effect: "applied",
      });
    }
    if (context.clock.now() >= until) {
      throw refusal("TIMEOUT", call.operation, `${instanceId} is ${state}: its volumes could not be attached`, {
        effect: "applied",
        hint: "Spawn it again with the same key: that attaches them.",
      });
    }
    await context.clock.sleep(wait, call.signal);
  }
}
