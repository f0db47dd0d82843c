import { assertSupports, type Instance, type Provider, type Snapshot, type Volume } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { errorOf, must, mustEqual, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { volumeSize } from "../operations.ts";
import { mustHaveShape } from "../shape.ts";
import { eventually } from "../waiting.ts";

type Warming = Provider<Instance, Snapshot, "warmVolumes">;
const able = (provider: Provider): Warming => {
  assertSupports(provider, "warmVolumes");
  return provider;
};
const POOL = "contract-pool";

export const warmVolumesRules: Rules<"WARM"> = {
  "WARM-01": "`warmVolume` answers a volume of the pool, and the same volume for the same key.",
  "WARM-02": "`claimWarmVolume` attaches a free volume of the pool to the instance; null if none is free.",
  "WARM-03": "Two claims never get the same volume.",
  "WARM-04": "`releaseWarmVolume` gives the volume back to its pool, and resolves however often it is called.",
};

/** Volumes that wait to be used. */
export const warmVolumesCases: Cases<"warm-volumes"> = {
  "warm-volumes.warmed": {
    title: "makes one volume of the pool for each key",
    rules: ["WARM-01"],
    run: async (context) => {
      const { zone } = await instanceInZone(context);
      const options = { key: context.key(), pool: POOL, sizeBytes: volumeSize(context), zone };
      const volume = await able(context.provider).warmVolume(options);
      mustHaveShape("WARM-01", volume, "volume");
      mustEqual("WARM-01", "the pool", volume.pool, POOL, "Tell the pool.");
      await context.settle();
      const again = await able(await context.another()).warmVolume(options);
      mustEqual("WARM-01", "the second volume", again.id, volume.id, "Look the key up first.");
    },
  },
  "warm-volumes.claimed": {
    title: "attaches a free volume of the pool to the instance",
    rules: ["WARM-02"],
    run: async (context) => {
      const { instance, zone } = await instanceInZone(context);
      const volume = await warmed(context, zone);
      const claimed = await claim(context, instance);
      mustEqual("WARM-02", "the claimed volume", claimed?.id, volume.id, "Take one of the pool.");
      mustEqual("WARM-02", "attachedTo", claimed?.attachedTo, instance.id, "Tell the instance's id.");
    },
  },
  "warm-volumes.never-twice": {
    title: "never gives one volume to two claims",
    rules: ["WARM-03"],
    run: async (context) => {
      const { instance, zone } = await instanceInZone(context);
      const { instance: rival } = await instanceInZone(context);
      const volume = await warmed(context, zone);
      const other = await context.another();
      const outcomes = await Promise.all([
        settled(() => claim(context, instance)),
        settled(() => claim(context, rival, other)),
      ]);
      const won = outcomes.flatMap((outcome) => (outcome.ok && outcome.value !== null ? [outcome.value.id] : []));
      const told = `${won.length} claims got ${volume.id}`;
      must(won.length === 1, "WARM-03", told, "Let the remote decide who attaches it, and try the next.");
    },
  },
  "warm-volumes.none-free": {
    title: "gives null where the pool has none free",
    rules: ["WARM-02"],
    run: async (context) => {
      const { instance, zone } = await instanceInZone(context);
      await warmed(context, zone, "another-pool");
      const claimed = await claim(context, instance);
      must(claimed === null, "WARM-02", `it gives ${shown(claimed)}`, "Look in the named pool alone.");
    },
  },
  "warm-volumes.released": {
    title: "gives a volume back to its pool",
    rules: ["WARM-04"],
    run: async (context) => {
      const { instance, zone } = await instanceInZone(context);
      const volume = await warmed(context, zone);
      await claim(context, instance);
      await context.settle();
      await able(context.provider).releaseWarmVolume(volume.id);
      await context.settle();
      const again = await eventually(
        context,
        () => claim(context, instance),
        (claimed) => claimed !== null,
      );
      mustEqual("WARM-04", "what the next claim gets", again?.id, volume.id, "Detach it and keep it in its pool.");
    },
  },
  "warm-volumes.release-repeated": {
    title: "resolves however often a volume is released",
    rules: ["WARM-04"],
    run: async (context) => {
      const { zone } = await instanceInZone(context);
      const volume = await warmed(context, zone);
      for (const id of [volume.id, volume.id, "no-such-volume"]) {
        const outcome = await settled(() => able(context.provider).releaseWarmVolume(id));
        must(outcome.ok, "WARM-04", `${id} rejects: ${shown(errorOf(outcome))}`, "Take free and gone as done.");
      }
    },
  },
};

async function instanceInZone(context: CaseContext): Promise<{ readonly instance: Instance; readonly zone: string }> {
  const spawned = await context.spawn();
  const instance = (await context.watch(spawned.id, (seen) => seen?.status === "running")) ?? spawned;
  return { instance, zone: context.harness.zone ?? instance.zone ?? "default" };
}

async function warmed(context: CaseContext, zone: string, pool: string = POOL): Promise<Volume> {
  const provider = able(context.provider);
  const before = await context.census();
  const volume = await provider.warmVolume({ key: context.key(), pool, sizeBytes: volumeSize(context), zone });
  await context.settle();
  // A repeated key answers it as it is now: ready, once it is.
  if (volume.status === "pending") {
    const options = { key: volume.key ?? "", pool, sizeBytes: volumeSize(context), zone };
    await eventually(
      context,
      () => provider.warmVolume(options),
      ({ status }) => status !== "pending",
    );
  }
  const after = await context.census();
  must(after.volumes.size <= before.volumes.size + 1, "WARM-01", "one key made two volumes", "Look the key up first.");
  return volume;
}

async function claim(
  context: CaseContext,
  instance: Instance,
  by: Provider = context.provider,
): Promise<Volume | null> {
  const claimed = await able(by).claimWarmVolume({ pool: POOL, instanceId: instance.id });
  return claimed;
}
