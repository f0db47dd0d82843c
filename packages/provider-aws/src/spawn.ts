import { afterWrite, refusal } from "./call.ts";
import { attachAtSpawn, mountsOf } from "./capabilities/attach.ts";
import { checkHibernation, hibernationRootGib } from "./capabilities/hibernation-part.ts";
import { besideTheMachine, onDemandPrice } from "./capabilities/prices.ts";
import { claimAtSpawn } from "./capabilities/warm-volumes.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeCodeOf } from "./errors.ts";
import { forgetImage, imageFor } from "./images.ts";
import { type AWSInstance, isEnding, materialize } from "./instance.ts";
import { findExisting, launched } from "./launch.ts";
import { underKey } from "./lookup.ts";
import { machineType } from "./machine-types.ts";
import { needsGroup, placeFor } from "./place.ts";
import { type AWSSpawnOptions, requestOf, type SpawnRequest, volumeIdsOf } from "./request.ts";
import type { LaunchParts } from "./run-request.ts";
import { forgetSecurityGroups } from "./security-group.ts";
import { checkTerminateBy, terminateByHook } from "./terminate-by.ts";
import { userData } from "./user-data.ts";

/** One launch, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(
  context: AwsContext,
  options: AWSSpawnOptions,
  operation: "spawn" | "requestSpotInstance" = "spawn",
): Promise<AWSInstance> {
  const call: Call = { operation, signal: options.signal };
  const request = requestOf(context, operation, options);
  // Before any call: what is too long is refused here.
  const packed = userData(partsOf(request), operation);
  return await context.keyedMutex(`spawn ${request.key}`, call, async () => {
    const under = await underKey(context, call, request.key);
    const found = findExisting(context, call, request, under);
    if (found !== undefined) return await completed(context, call, request, found);
    const instance = await withGroup(context, call, request, () =>
      withImage(context, request, {
        prepare: () => prepared(context, call, request, packed),
        launch: (parts) => launched(context, call, request, parts, under.nextGeneration),
      }),
    );
    return await completed(context, call, request, instance);
  });
}

/** An image that is remembered may be gone, and then its parameter names another one. */
async function withImage(
  context: AwsContext,
  { region }: SpawnRequest,
  work: {
    readonly prepare: () => Promise<LaunchParts>;
    readonly launch: (parts: LaunchParts) => Promise<AWSInstance>;
  },
): Promise<AWSInstance> {
  const parts = await work.prepare();
  try {
    return await work.launch(parts);
  } catch (error) {
    if (!forgetImage(context, region, parts.image, error)) throw error;
    const newer = await work.prepare();
    if (newer.image.ImageId === parts.image.ImageId) throw error;
    return await work.launch(newer);
  }
}

const GROUP_GONE = /^Invalid(Group|GroupId|SecurityGroupID|VpcID)\.NotFound$/;
const LOOK_AGAIN_MS = 2_000;

/**
 * A security group of ours that is remembered may have been deleted, and one that was just made may not be known yet:
 * as long as reads may lag it is looked for, or made, again.
 */
async function withGroup(
  context: AwsContext,
  call: Call,
  { region, options }: SpawnRequest,
  launch: () => Promise<AWSInstance>,
): Promise<AWSInstance> {
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    try {
      return await launch();
    } catch (error) {
      const isOurs = needsGroup(options) && GROUP_GONE.test(nativeCodeOf(error));
      const left = until - context.clock.now();
      if (!isOurs || left <= 0) throw error;
      forgetSecurityGroups(context, region);
      await context.clock.sleep(Math.min(LOOK_AGAIN_MS, left), call.signal);
    }
  }
}

function partsOf({ script, options }: SpawnRequest) {
  const { sshKeys = [], volumes = [], terminateBy } = options;
  const mounts = volumes.map(({ id, mountPath }) => ({ volumeId: id.slice(id.lastIndexOf("/") + 1), mountPath }));
  return {
    ...{ script, sshKeys, volumes: mounts },
    terminateBy: terminateBy === undefined ? undefined : terminateByHook(terminateBy),
  };
}

/** All that has to be known before the launch; nothing is made here but a security group that many share. */
export async function prepared(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  packed: string | undefined,
): Promise<LaunchParts> {
  const { options, region, instanceType } = request;
  const image = await imageFor(context, call, request);
  checkTerminateBy(call.operation, options, image);
  const mounts = await mountsOf(context, call, region, options.volumes ?? []);
  const imageGib = image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs
    ?.VolumeSize;
  const asked = options.resources?.diskBytes;
  let rootGib = asked === undefined ? undefined : Math.ceil(asked / 1024 ** 3);
  if (options.hibernation === true) {
    const type = await machineType(context, call, region, instanceType);
    checkHibernation(call.operation, { type, rootDeviceType: image.RootDeviceType, spot: options.spot !== undefined });
    rootGib = Math.max(rootGib ?? 0, hibernationRootGib(imageGib ?? 8, type.MemoryInfo?.SizeInMiB ?? 0));
  }
  await checkPrice(context, call, request, Math.max(rootGib ?? 0, imageGib ?? 8));
  // Last, since it may make a security group.
  const place = await placeFor(context, call, request, mounts[0]?.zone);
  return { image, place, userData: packed, rootGib };
}

/** What a cap is checked against is all that the instance costs an hour: the machine, its public address, its disk. */
async function checkPrice(
  context: AwsContext,
  call: Call,
  { options, region, instanceType }: SpawnRequest,
  diskGib: number,
): Promise<void> {
  const { maxUsdPerHour } = options;
  if (maxUsdPerHour === undefined || options.spot !== undefined) return;
  const price = await onDemandPrice(context, call, region, instanceType);
  if (price === undefined) {
    throw refusal(
      "INVALID_SPEC",
      call.operation,
      `AWS lists no price of ${instanceType} in ${region}: maxUsdPerHour cannot be checked`,
      { hint: "Leave maxUsdPerHour out, or name a machine type that slipway prices aws lists." },
    );
  }
  const beside = besideTheMachine({ publicAddress: options.network?.isolated !== true, diskGib });
  const total = price.usdPerHour + beside;
  if (total <= maxUsdPerHour) return;
  throw refusal(
    "INVALID_SPEC",
    call.operation,
    `${instanceType} costs ${usd(total)} USD an hour in ${region}, above maxUsdPerHour ${maxUsdPerHour}: ` +
      `${usd(price.usdPerHour)} for the machine, ${usd(beside)} for its disk of ${diskGib} GiB and a public address`,
  );
}

const usd = (amount: number): string => String(Number(amount.toFixed(5)));

/** The second half of a spawn with volumes; a repeated spawn finishes what a killed one began. */
async function completed(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  instance: AWSInstance,
): Promise<AWSInstance> {
  const volumeIds = volumeIdsOf(request);
  const { warmVolume } = request.options;
  if (volumeIds.length === 0 && warmVolume === undefined) return instance;
  if (instance.status !== "pending" && instance.status !== "running") return instance;
  const { region, nativeId } = instance;
  return await afterWrite(call, "the instance is there", async () => {
    if (volumeIds.length > 0) await attachAtSpawn(context, call, region, nativeId, volumeIds);
    if (warmVolume !== undefined) await claimAtSpawn(context, call, region, nativeId, warmVolume);
    const now = await context.batches.describe(call, region, nativeId);
    const shown = now === null ? instance : materialize(region, now);
    if (!isEnding(shown)) return shown;
    throw refusal("INVALID_STATE", call.operation, `${shown.id} ended while its volumes were attached`, {
      effect: "applied",
      nativeId,
      hint: "Spawn it again with the same key: that makes a new one.",
    });
  });
}
