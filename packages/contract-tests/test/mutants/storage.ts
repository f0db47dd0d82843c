import { type Instance, type Snapshot, type Volume } from "@slipway/core";
import { answered, asked, failed, fields, ignoring, intercept, type Place, underWay, wrongly } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

const snapshotsMutants: MutantsOf<"snapshots"> = {
  "snapshots.created": {
    does: "tells another key than was given",
    mutate: answered<Snapshot>("createSnapshot", (snapshot) => ({ ...snapshot, key: "another" })),
  },
  "snapshots.same-key": {
    does: "makes a second snapshot for the same key",
    mutate: intercept({
      createSnapshot: (args, next, { calls }) => {
        const options = fields(args[1]);
        const made = calls.some(
          (call) =>
            call.operation === "createSnapshot" &&
            call.outcome?.value !== undefined &&
            fields(call.args[1])["key"] === options["key"],
        );
        return made ? next(args[0], { ...options, key: `${String(options["key"])}-again` }) : next(...args);
      },
    }),
  },
  "snapshots.becomes-available": {
    does: "says that a snapshot failed which is available",
    mutate: answered<string | null>("getSnapshotStatus", (status) => (status === "available" ? "failed" : status)),
  },
  "snapshots.status-unknown": {
    does: "says that a snapshot failed which never was",
    mutate: answered<string | null>("getSnapshotStatus", (status) => status ?? "failed"),
  },
  "snapshots.deleted": {
    does: "rejects when a snapshot is deleted again",
    mutate: rejectingAgain("deleteSnapshot"),
  },
  "snapshots.delete-unknown": {
    does: "rejects for a snapshot that never was",
    mutate: rejectingUnknown("deleteSnapshot", "no-such-snapshot"),
  },
  "snapshots.listed": {
    does: "ignores the filter by instance",
    mutate: ignoring("listSnapshots", ["instanceId"]),
  },
  "snapshots.other-owner": {
    does: "lists everybody's snapshots",
    mutate: intercept({ listSnapshots: (args, next) => next({ owner: "*", ...fields(args[0]) }, args[1]) }),
  },
  "snapshots.restored": {
    does: "never starts what is made from a snapshot",
    mutate: answered<Instance | null>("get", (instance, _args, place) =>
      instance !== null && spawnedWith("fromSnapshot", instance, place) ? { ...instance, status: "pending" } : instance,
    ),
  },
  "snapshots.restore-unknown": {
    does: "makes a plain instance where the snapshot is not there",
    mutate: ignoring("spawn", ["fromSnapshot"], ({ fromSnapshot }) => fromSnapshot === "no-such-snapshot"),
  },
  "snapshots.refused": {
    does: "makes up a key where it is empty",
    mutate: intercept({
      createSnapshot: (args, next) => next(args[0], { ...fields(args[1]), key: fields(args[1])["key"] || "made-up" }),
    }),
  },
};

const volumesMutants: MutantsOf<"volumes"> = {
  "volumes.created": {
    does: "tells half of the size",
    mutate: answered<Volume>("createVolume", (volume) => ({ ...volume, sizeBytes: volume.sizeBytes / 2 })),
  },
  "volumes.same-key": {
    does: "makes a second volume for the same key and size",
    mutate: asked("createVolume", (options, place) =>
      createdBefore(place, options["key"], options["sizeBytes"]) === undefined
        ? options
        : { ...options, key: `${String(options["key"])}-again` },
    ),
  },
  "volumes.other-size": {
    does: "answers the volume that has the key though its size is another",
    mutate: failed("createVolume", (error, args, place) => {
      const volume = createdBefore(place, fields(args[0])["key"]);
      if (error.code !== "CONFLICT" || volume === undefined) throw error;
      return volume;
    }),
  },
  "volumes.listed": {
    does: "ignores the filter by keys",
    mutate: ignoring("listVolumes", ["keys"]),
  },
  "volumes.other-owner": {
    does: "lists everybody's volumes",
    mutate: intercept({ listVolumes: (args, next) => next({ owner: "*", ...fields(args[0]) }, args[1]) }),
  },
  "volumes.deleted": {
    does: "rejects when a volume is deleted again",
    mutate: rejectingAgain("deleteVolume"),
  },
  "volumes.delete-unknown": {
    does: "rejects for a volume that never was",
    mutate: rejectingUnknown("deleteVolume", "no-such-volume"),
  },
  "volumes.delete-attached": {
    does: "resolves though the volume is attached and stays",
    mutate: failed("deleteVolume", (error) => {
      if (error.code !== "INVALID_STATE") throw error;
    }),
  },
  "volumes.delete-unmanaged": {
    does: "says that a volume is gone which Slipway did not make",
    mutate: failed("deleteVolume", (error) => {
      if (error.code !== "CONFLICT") throw error;
    }),
  },
  "volumes.attached": {
    does: "tells another instance than the volume is attached to",
    mutate: answered<readonly Volume[]>("listVolumes", (found) =>
      found.map((volume) => (volume.attachedTo === null ? volume : { ...volume, attachedTo: "another" })),
    ),
  },
  "volumes.outlive": {
    does: "loses a volume when its instance ends",
    mutate: intercept({
      listVolumes: async (args, next, { calls }) => {
        const ended = calls.some((call) => call.operation === "terminate");
        const found = (await next(...args)) as readonly Volume[];
        return ended ? [] : found;
      },
    }),
  },
  "volumes.unknown": {
    does: "makes an instance without a volume that is not there",
    mutate: ignoring("spawn", ["volumes"], ({ volumes }) => JSON.stringify(volumes ?? []).includes("no-such-volume")),
  },
};

const warmVolumesMutants: MutantsOf<"warm-volumes"> = {
  "warm-volumes.warmed": {
    does: "tells another pool",
    mutate: answered<Volume>("warmVolume", (volume) => ({ ...volume, pool: "another" })),
  },
  "warm-volumes.claimed": {
    does: "does not tell which instance has the volume",
    mutate: answered<Volume | null>("claimWarmVolume", (volume) =>
      volume === null ? null : { ...volume, attachedTo: null },
    ),
  },
  "warm-volumes.never-twice": {
    does: "gives one volume to concurrent claims",
    mutate: intercept({
      claimWarmVolume: async (args, next, place) => {
        const rivals = underWay(place, "claimWarmVolume");
        const claimed = await next(...args);
        return claimed ?? rivals.map(({ outcome }) => outcome?.value).find((volume) => volume != null) ?? null;
      },
    }),
  },
  "warm-volumes.none-free": {
    does: "takes a volume of another pool",
    mutate: intercept({
      claimWarmVolume: async (args, next) => {
        const options = fields(args[0]);
        return (await next(...args)) ?? (await next({ ...options, pool: "another-pool" }));
      },
    }),
  },
  "warm-volumes.released": {
    does: "does not give a volume back",
    mutate: intercept({ releaseWarmVolume: async () => undefined }),
  },
  "warm-volumes.release-repeated": {
    does: "rejects when a volume is released again",
    mutate: rejectingAgain("releaseWarmVolume"),
  },
};

function createdBefore({ calls }: Place, key: unknown, sizeBytes?: unknown): Volume | undefined {
  const call = calls.find(({ operation, args, outcome }) => {
    const options = fields(args[0]);
    const same = options["key"] === key && (sizeBytes === undefined || options["sizeBytes"] === sizeBytes);
    return operation === "createVolume" && outcome?.value !== undefined && same;
  });
  return call?.outcome?.value as Volume | undefined;
}

function spawnedWith(option: string, { id }: Instance, { calls }: Place): boolean {
  return calls.some(
    ({ operation, args, outcome }) =>
      operation === "spawn" &&
      fields(args[0])[option] !== undefined &&
      Reflect.get(Object(outcome?.value), "id") === id,
  );
}

function rejectingAgain(operation: string): Mutate {
  return intercept({
    [operation]: async (args, next, { calls }) => {
      const again = calls.some(
        (call) =>
          call.operation === operation &&
          call.args[0] === args[0] &&
          call.outcome !== undefined &&
          call.outcome.error === undefined,
      );
      if (again) throw wrongly("NOT_FOUND", operation);
      return await next(...args);
    },
  });
}

function rejectingUnknown(operation: string, id: string): Mutate {
  return intercept({
    [operation]: async (args, next) => {
      if (args[0] === id) throw wrongly("NOT_FOUND", operation);
      return await next(...args);
    },
  });
}

/** Mutants of the groups of this file. */
export const storageMutants: MutantsOf<"snapshots" | "volumes" | "warm-volumes"> = {
  ...snapshotsMutants,
  ...volumesMutants,
  ...warmVolumesMutants,
};
