import { assertSupports, type Instance, type Provider, type Snapshot, type Volume } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { errorOf, must, mustEqual, mustReject, settled, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { volumeSize } from "../operations.ts";
import { mustHaveShape } from "../shape.ts";
import { eventually } from "../waiting.ts";

type Storing = Provider<Instance, Snapshot, "persistentVolumes">;
const able = (provider: Provider): Storing => {
  assertSupports(provider, "persistentVolumes");
  return provider;
};
const ids = (volumes: readonly Volume[]): readonly string[] => volumes.map(({ id }) => id).sort();
const UNKNOWN = "no-such-volume";
const PATH = "/mnt/data";

export const volumesRules: Rules<"VOL"> = {
  "VOL-01": "`createVolume` answers a volume of that size, with owner and key.",
  "VOL-02": "The same key and size give the same volume; another size is CONFLICT with effect `none`.",
  "VOL-03": "`listVolumes` is complete, keeps to this owner unless asked otherwise, and filters by id and key.",
  "VOL-04": "`deleteVolume` removes the volume, and resolves for ids that are gone or unknown.",
  "VOL-05": "An attached volume is not deleted: INVALID_STATE, and it stays as it is.",
  "VOL-06": "`spawn({ volumes })` attaches them, and they outlive the instance.",
  "VOL-07": "A volume that is not there is INVALID_SPEC or NOT_FOUND at spawn, with effect `none`.",
};

/** Disks that outlive instances. */
export const volumesCases: Cases<"volumes"> = {
  "volumes.created": {
    title: "answers a volume of that size with owner and key",
    rules: ["VOL-01"],
    run: async (context) => {
      const key = context.key();
      const volume = await created(context, key);
      mustHaveShape("VOL-01", volume, "volume");
      must(volume.sizeBytes >= volumeSize(context), "VOL-01", `it has ${volume.sizeBytes} bytes`, "Make it so large.");
      const tags = [volume.owner ?? context.subject.owner, volume.key ?? key];
      mustEqual("VOL-01", "owner and key", tags, [context.subject.owner, key], "Write both in the creating call.");
    },
  },
  "volumes.same-key": {
    title: "answers the same volume for the same key and size",
    rules: ["VOL-02"],
    run: async (context) => {
      const key = context.key();
      const volume = await created(context, key);
      for (const by of [context.provider, await context.another()]) {
        const again = await able(by).createVolume({ key, sizeBytes: volumeSize(context) });
        mustEqual("VOL-02", "the second volume", again.id, volume.id, "Look the key up first.");
      }
      await context.settle();
      const found = ids(await able(context.provider).listVolumes({ keys: [key] }));
      mustEqual("VOL-02", "what the key has", found, [volume.id], "Make nothing twice.");
    },
  },
  "volumes.other-size": {
    title: "refuses another size under the same key",
    rules: ["VOL-02"],
    run: async (context) => {
      const key = context.key();
      const volume = await created(context, key);
      await ready(context, volume.id);
      await context.unchanged("VOL-02", "another size", () =>
        mustReject(
          "VOL-02",
          "a volume of another size under the same key",
          () => able(context.provider).createVolume({ key, sizeBytes: volumeSize(context) * 2 }),
          { codes: ["CONFLICT"], effect: "none" },
          "Compare the size of what is there.",
        ),
      );
    },
  },
  "volumes.listed": {
    title: "lists all volumes, or those of ids or keys",
    rules: ["VOL-03"],
    run: async (context) => {
      const provider = able(context.provider);
      const keys = [context.key(), context.key()];
      const [a, b] = [await created(context, keys[0]), await created(context, keys[1])];
      mustEqual("VOL-03", "listVolumes()", ids(await provider.listVolumes()), ids([a, b]), "Read every page.");
      const byId = ids(await provider.listVolumes({ ids: [b.id] }));
      mustEqual("VOL-03", "listVolumes({ ids })", byId, [b.id], "Apply the filter.");
      const byKey = ids(await provider.listVolumes({ keys: keys.slice(0, 1) }));
      mustEqual("VOL-03", "listVolumes({ keys })", byKey, [a.id], "Apply the filter.");
    },
  },
  "volumes.other-owner": {
    title: "keeps to this owner's volumes unless asked for all",
    rules: ["VOL-03"],
    run: async (context) => {
      const volume = await created(context);
      const other = able(await context.another({ owner: "another-owner" }));
      mustEqual("VOL-03", "another owner's list", ids(await other.listVolumes()), [], "Filter by the owner's tag.");
      const all = ids(await other.listVolumes({ owner: "*" }));
      must(all.includes(volume.id), "VOL-03", `owner * finds ${shown(all)}`, "Filter by Slipway's tag alone.");
    },
  },
  "volumes.deleted": {
    title: "removes a volume, however often it is asked to",
    rules: ["VOL-04"],
    run: async (context) => {
      const provider = able(context.provider);
      const volume = await created(context);
      await ready(context, volume.id);
      for (let i = 0; i < 3; i++) {
        const outcome = await settled(() => provider.deleteVolume(volume.id));
        must(outcome.ok, "VOL-04", `call ${i + 1}: ${shown(errorOf(outcome))}`, "Take not-found as done.");
        await context.settle();
      }
      const left = await eventually(
        context,
        () => provider.listVolumes(),
        (found) => found.length === 0,
      );
      mustEqual("VOL-04", "listVolumes()", ids(left), [], "Delete it at the remote.");
    },
  },
  "volumes.delete-unknown": {
    title: "resolves for a volume that never was",
    rules: ["VOL-04"],
    run: async ({ provider }) => {
      const outcome = await settled(() => able(provider).deleteVolume(UNKNOWN));
      must(outcome.ok, "VOL-04", `it rejects: ${shown(errorOf(outcome))}`, "Take not-found as done.");
    },
  },
  "volumes.delete-attached": {
    title: "refuses to delete an attached volume, and leaves it",
    rules: ["VOL-05"],
    run: async (context) => {
      const { volume } = await attached(context);
      await context.unchanged("VOL-05", "a refused deleteVolume", () =>
        mustReject(
          "VOL-05",
          "deleteVolume of an attached volume",
          () => able(context.provider).deleteVolume(volume.id),
          { codes: ["INVALID_STATE"], effect: "none" },
          "Map the remote's refusal; never detach by force.",
        ),
      );
      const [still] = await able(context.provider).listVolumes({ ids: [volume.id] });
      must(still != null && still.attachedTo !== null, "VOL-05", `it is now ${shown(still)}`, "Leave it attached.");
    },
  },
  "volumes.delete-unmanaged": {
    title: "refuses to delete a volume that Slipway did not make, and leaves it",
    rules: ["OWNER-06"],
    needs: ["unmanagedVolume"],
    run: async (context) => {
      const volume = await context.harness.inspector.addUnmanagedVolume?.();
      if (volume === undefined) return;
      try {
        await context.settle();
        const next = "Look at what deleteVolume names, also where listVolumes leaves it out.";
        await mustReject(
          "OWNER-06",
          "deleteVolume of a volume that Slipway did not make",
          () => able(context.provider).deleteVolume(volume.id),
          { codes: ["CONFLICT"], effect: "none" },
          next,
        );
        must(await volume.isThere(), "OWNER-06", "the volume is gone", next);
      } finally {
        await volume.remove();
      }
    },
  },
  "volumes.attached": {
    title: "attaches a volume at spawn and says to which instance",
    rules: ["VOL-06"],
    run: async (context) => {
      const { volume, instance } = await attached(context);
      const [seen] = await able(context.provider).listVolumes({ ids: [volume.id] });
      mustEqual("VOL-06", "attachedTo", seen?.attachedTo, instance.id, "Tell the instance's id.");
    },
  },
  "volumes.outlive": {
    title: "keeps a volume when its instance ends",
    rules: ["VOL-06"],
    run: async (context) => {
      const { volume, instance } = await attached(context);
      await context.provider.terminate(instance.id);
      const provider = able(context.provider);
      const [free] = await eventually(
        context,
        () => provider.listVolumes({ ids: [volume.id] }),
        ([seen]) => seen?.attachedTo === null,
      );
      must(free !== undefined, "VOL-06", "the volume went with its instance", "Keep it.");
      mustEqual("VOL-06", "attachedTo after the end", free.attachedTo, null, "Detach it when the instance ends.");
    },
  },
  "volumes.unknown": {
    title: "refuses to spawn with a volume that is not there",
    rules: ["VOL-07"],
    run: async ({ provider, request, unchanged }) => {
      const volumes = [{ id: UNKNOWN, mountPath: PATH }];
      await unchanged("VOL-07", "a spawn with an unknown volume", () =>
        mustReject(
          "VOL-07",
          "a spawn with an unknown volume",
          () => able(provider).spawn(request({ volumes })),
          { codes: ["INVALID_SPEC", "NOT_FOUND"], effect: "none" },
          "Look the volume up, or map the remote's refusal.",
        ),
      );
    },
  },
};

async function created(context: CaseContext, key: string = context.key()): Promise<Volume> {
  const volume = await able(context.provider).createVolume({ key, sizeBytes: volumeSize(context) });
  await context.settle();
  return volume;
}

async function ready(context: CaseContext, id: string): Promise<void> {
  const provider = able(context.provider);
  await eventually(
    context,
    () => provider.listVolumes({ ids: [id] }),
    ([volume]) => volume !== undefined && volume.status !== "pending",
  );
}

async function attached(context: CaseContext): Promise<{ readonly volume: Volume; readonly instance: Instance }> {
  const provider = able(context.provider);
  const volume = await created(context);
  await ready(context, volume.id);
  const instance = await context.spawn({ volumes: [{ id: volume.id, mountPath: PATH }] });
  await context.watch(instance.id, (seen) => seen?.status === "running");
  await eventually(
    context,
    () => provider.listVolumes({ ids: [volume.id] }),
    ([seen]) => seen?.attachedTo != null,
  );
  return { volume, instance };
}
