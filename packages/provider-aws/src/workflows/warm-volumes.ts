import { ProviderError, type Workflow, type WorkflowContext, type WorkflowContract, workflow } from "@slipway/core";
import * as z from "zod/mini";
import { afterRefusal, afterWrite, PROVIDER } from "../call.ts";
import { attach } from "../capabilities/attach.ts";
import { makeVolume } from "../capabilities/persistent-volumes.ts";
import { describeVolume, noteDeleted, ownVolumes, volumeOfKey } from "../capabilities/volume-lookup.ts";
import { holderOf, keeperOf } from "../capabilities/volume-view.ts";
import { claim, detach, poolVolumes } from "../capabilities/warm-volumes.ts";
import { type AwsContext, type Call, lookUntilShown } from "../context.ts";
import { nativeCodeOf } from "../errors.ts";
import { composeId, nativeIdOf } from "../ids.ts";
import { keyFilter } from "../tags.ts";
import { type SpawnInput, spawnInput, spawnOptions } from "./input.ts";
import { type AwsParts, type Launched, launchSomewhere } from "./multi-az.ts";

export interface WarmVolumesInput {
  readonly spawn: SpawnInput;
  /** The name of the pool; a volume of it is taken where one is free. */
  readonly pool: string;
  /** Of the volume that is made where none is free. */
  readonly sizeBytes: number;
  readonly zones?: readonly string[] | undefined;
}

export interface WarmVolumesOutput {
  readonly instanceId: string;
  readonly key: string;
  readonly zone: string;
  readonly volumeId: string;
  /** False: the pool had none, and a new, empty volume was made for it. */
  readonly warm: boolean;
}

const input: z.ZodMiniType<WarmVolumesInput> = z.strictObject({
  spawn: spawnInput,
  pool: z.string().check(z.minLength(1), z.maxLength(256)),
  sizeBytes: z.int().check(z.positive()),
  zones: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
});

const output: z.ZodMiniType<WarmVolumesOutput> = z.object({
  instanceId: z.string(),
  key: z.string(),
  zone: z.string(),
  volumeId: z.string(),
  warm: z.boolean(),
});

const RETRY = { attempts: 4, delayMs: 2000 } as const;
const VOLUME_WITHIN_MS = 300_000;
const LOOK_MS = 1000;

/**
 * An instance with a volume of a pool: in a zone that has a free one, if it takes the instance. EC2's AttachVolume itself
 * decides between two runs that want the same volume; who loses takes the next, and at last a new one.
 */
export function warmVolumes({ context, provider }: AwsParts): Workflow<WarmVolumesInput, WarmVolumesOutput> {
  return workflow<WarmVolumesInput, WarmVolumesOutput>({
    type: "aws.warm-volumes",
    version: 1,
    input,
    output,
    run: async (ctx, { spawn, pool, sizeBytes, zones }) => {
      // The pool only orders the zones here: the claim is a step of its own.
      const { warmVolume: _claimedBelow, ...options } = spawnOptions(spawn);
      const launched = await launchSomewhere(ctx, { context, provider }, options, { zones, pool });
      const claimed = await claimStep(ctx, context, launched, pool);
      const volumeId = claimed ?? (await coldVolume(ctx, context, launched, { pool, sizeBytes }));
      const { instanceId, key, zone } = launched;
      return { instanceId, key, zone, volumeId, warm: claimed !== null };
    },
  });
}

export const warmVolumesContract: WorkflowContract<WarmVolumesInput, WarmVolumesOutput> = {
  validateInput: (given) => z.parse(input, given),
  requiredOutputFields: ["instanceId", "key", "zone", "volumeId", "warm"],
  maxDurationMs: 1_800_000,
};

/** A volume of the pool, attached; null where none is free. A repeated step finds the one that it has. */
function claimStep(
  ctx: WorkflowContext,
  context: AwsContext,
  launched: Launched,
  pool: string,
): Promise<string | null> {
  const { instanceId, region } = launched;
  return ctx.step(
    "claim a warm volume",
    async ({ signal }): Promise<string | null> => {
      const call = { operation: "claimWarmVolume", signal };
      const [mine] = await heldBy(context, call, region, instanceId, pool);
      if (mine !== undefined) return composeId(region, mine);
      const instance = await context.lifeCycle().managed(call, instanceId);
      return (await claim(context, call, instance, pool))?.id ?? null;
    },
    {
      retry: RETRY,
      undo: async ({ signal }) => {
        const call = { operation: "releaseWarmVolume", signal };
        for (const volumeId of await heldBy(context, call, region, instanceId, pool)) {
          await release(context, call, launched, volumeId);
        }
      },
    },
  );
}

/** A new volume of the pool in the instance's zone: it goes back to the pool as every other. */
async function coldVolume(
  ctx: WorkflowContext,
  context: AwsContext,
  launched: Launched,
  { pool, sizeBytes }: { readonly pool: string; readonly sizeBytes: number },
): Promise<string> {
  const { instanceId, region, zone } = launched;
  const made = await ctx.step(
    "make a cold volume",
    async ({ key, signal }) => {
      const call = { operation: "createVolume", signal };
      // EC2 forgets the token of an earlier try in the end; the volume that it made is still under the key.
      const made = await volumeOfKey(context, call, key, region);
      return (made ?? (await makeVolume(context, call, { key, sizeBytes, region, zone, pool }))).id;
    },
    {
      retry: RETRY,
      undo: async ({ key, result, signal }) => {
        const call = { operation: "deleteVolume", signal };
        const ids = result === undefined ? await idsOfKey(context, call, region, key) : [nativeIdOf(result)];
        for (const id of ids) await deleteInTheEnd(context, call, launched, id);
      },
    },
  );
  await ctx.step(
    "attach the cold volume",
    ({ signal }) => attachOwn(context, { operation: "claimWarmVolume", signal }, instanceId, nativeIdOf(made)),
    {
      retry: RETRY,
      undo: ({ signal }) => release(context, { operation: "releaseWarmVolume", signal }, launched, nativeIdOf(made)),
    },
  );
  return made;
}

/** The volumes that a lost answer may have left under a key; it looks for as long as a new one may be missing. */
async function idsOfKey(context: AwsContext, call: Call, region: string, key: string): Promise<readonly string[]> {
  const look = async (): Promise<readonly string[] | undefined> => {
    const rows = await ownVolumes(context, call, region, context.owner, [keyFilter(context.owner, key)]);
    return rows.length === 0 ? undefined : rows.flatMap(({ VolumeId }) => (VolumeId === undefined ? [] : [VolumeId]));
  };
  return (await lookUntilShown(context, call, look, LOOK_MS)) ?? [];
}

/**
 * EC2 deletes a volume only once it is free: until then it is detached and asked again. One that another instance has taken
 * from the pool meanwhile is that one's, and stays.
 */
async function deleteInTheEnd(
  context: AwsContext,
  call: Call,
  { region, instanceId }: Launched,
  volumeId: string,
): Promise<void> {
  const until = context.clock.now() + VOLUME_WITHIN_MS;
  for (;;) {
    try {
      await context.client.send(call, region, "DeleteVolume", { VolumeId: volumeId });
      return noteDeleted(context, volumeId);
    } catch (error) {
      const code = nativeCodeOf(error);
      if (code === "InvalidVolume.NotFound") return;
      if (!/^(VolumeInUse|IncorrectState)$/.test(code) || context.clock.now() >= until) throw error;
    }
    if ((await detach(context, call, region, volumeId, nativeIdOf(instanceId))) === "elsewhere") return;
    await context.clock.sleep(LOOK_MS, call.signal);
  }
}

/** Attaches a volume that nobody else knows of: it waits until EC2 shows it and has made it. */
async function attachOwn(context: AwsContext, call: Call, instanceId: string, volumeId: string): Promise<void> {
  const instance = await context.lifeCycle().managed(call, instanceId);
  const until = context.clock.now() + VOLUME_WITHIN_MS;
  const look = () => describeVolume(context, call, instance.region, volumeId);
  let volume = await look();
  for (;;) {
    const keeper = keeperOf(context, volume);
    if (keeper === instance.nativeId) return;
    if (keeper !== undefined) throw lost(volumeId);
    if (volume?.State === "available" && (await attach(context, call, instance, volumeId)) === "attached") return;
    if (context.clock.now() >= until) throw late(volumeId, volume?.State);
    volume = await afterRefusal(call, `${volumeId} may be attached`, async () => {
      await context.clock.sleep(LOOK_MS, call.signal);
      return await look();
    });
  }
}

/** The native ids of the pool's volumes that the instance has. */
async function heldBy(
  context: AwsContext,
  call: Call,
  region: string,
  instanceId: string,
  pool: string,
): Promise<readonly string[]> {
  const rows = await poolVolumes(context, call, region, pool);
  return rows
    .filter((row) => keeperOf(context, row) === nativeIdOf(instanceId))
    .flatMap(({ VolumeId }) => (VolumeId === undefined ? [] : [VolumeId]));
}

/** Takes it from the instance, and resolves once it is free: it could not be deleted or claimed before. */
async function release(
  context: AwsContext,
  call: Call,
  { region, instanceId }: Launched,
  volumeId: string,
): Promise<void> {
  const volume = await describeVolume(context, call, region, volumeId);
  if (volume === null) return;
  if (holderOf(volume) === undefined) return await available(context, call, region, volumeId);
  if ((await detach(context, call, region, volumeId, nativeIdOf(instanceId))) === "elsewhere") return;
  await afterWrite(call, `${volumeId} is being detached`, () => available(context, call, region, volumeId));
}

/** Resolves once the volume is free or gone. */
async function available(context: AwsContext, call: Call, region: string, volumeId: string): Promise<void> {
  const until = context.clock.now() + VOLUME_WITHIN_MS;
  for (;;) {
    const volume = await describeVolume(context, call, region, volumeId);
    if (volume === null || volume.State === "available") return;
    if (context.clock.now() >= until) throw late(volumeId, volume.State);
    await context.clock.sleep(LOOK_MS, call.signal);
  }
}

function late(volumeId: string, state: string | undefined): ProviderError {
  return new ProviderError("BUSY", {
    message: `${volumeId} is still ${state ?? "in no known state"}`,
    provider: PROVIDER,
    operation: "claimWarmVolume",
    effect: "none",
  });
}

function lost(volumeId: string): ProviderError {
  return new ProviderError("CONFLICT", {
    message: `${volumeId} was made for this run, and another has attached it`,
    provider: PROVIDER,
    operation: "claimWarmVolume",
    effect: "none",
  });
}
