import { beforeEach, describe, expect, it, vi } from "vitest";
import { defineProvider, type Instance, type Provider, type Snapshot, type Volume } from "../src/index.ts";
import { definition, INSTANCE, rejection, SNAPSHOT, untyped } from "./subject.ts";

const VOLUME: Volume = {
  id: "v",
  provider: "subject",
  status: "available",
  key: "k",
  owner: "tests",
  sizeBytes: 1,
  attachedTo: null,
  createdAt: null,
};
const sent = vi.fn();
const answer =
  <T>(value: T) =>
  async (...args: readonly unknown[]): Promise<T> => {
    sent(...args);
    return value;
  };

const provider = defineProvider<
  Provider<Instance, Snapshot, "snapshots" | "persistentVolumes" | "warmVolumes" | "costExplorer">
>({
  ...definition(),
  capabilities: { snapshots: true, persistentVolumes: true, warmVolumes: true, costExplorer: true },
  spawn: async () => INSTANCE,
  createSnapshot: answer(SNAPSHOT),
  getSnapshotStatus: answer("available"),
  deleteSnapshot: answer(undefined),
  listSnapshots: answer([SNAPSHOT]),
  createVolume: answer(VOLUME),
  listVolumes: answer([VOLUME]),
  deleteVolume: answer(undefined),
  warmVolume: answer(VOLUME),
  claimWarmVolume: answer(null),
  releaseWarmVolume: answer(undefined),
  getCosts: answer([]),
});

const volume = { key: "v", sizeBytes: 1 };
const warm = { key: "w", pool: "p", sizeBytes: 1, zone: "z" };
const costs = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };

describe("the options of every call are checked before it is sent", () => {
  beforeEach(() => void sent.mockReset());

  it.each<[keyof typeof provider, readonly unknown[], string]>([
    ["createSnapshot", ["i", undefined], "needs options"],
    ["createSnapshot", ["i", {}], "needs key"],
    ["createSnapshot", ["i", { key: "" }], "key must be 1 to 128 printable ASCII characters"],
    ["createSnapshot", ["i", { key: "k", name: 5 }], "name must be a text that is not empty"],
    ["createVolume", [], "needs options"],
    ["createVolume", ["v"], "must be an object"],
    ["createVolume", [{ key: "v" }], "needs sizeBytes"],
    ["createVolume", [{ ...volume, sizeBytes: 1.5 }], "sizeBytes must be a whole number of at least 1"],
    ["createVolume", [{ ...volume, zone: "" }], "zone must be a text that is not empty"],
    ["createVolume", [{ ...volume, timeoutMs: Number.NaN }], "timeoutMs must be a number above 0"],
    ["warmVolume", [{ ...warm, zone: undefined }], "needs zone"],
    ["warmVolume", [{ ...warm, pool: 5 }], "pool must be a text that is not empty"],
    ["claimWarmVolume", [{ pool: "p" }], "needs instanceId"],
    ["getCosts", [{ from: costs.from }], "needs to"],
    ["getCosts", [{ ...costs, from: "yesterday" }], "from must be a time as 2026-01-31T12:00:00Z"],
    ["getCosts", [{ ...costs, groupBy: "zone" }], "groupBy must be one of day, instance, spec"],
    ["deleteVolume", ["v", { signal: 5 }], "signal must be an AbortSignal"],
    ["listVolumes", [{}, { timeoutMs: "1" }], "timeoutMs must be a number above 0"],
  ])("%s with %j", async (operation, args, message) => {
    expect(await rejection(untyped(provider[operation])(...args))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
      operation,
      message: `${operation}: ${message}`,
    });
    expect(sent).not.toHaveBeenCalled();
  });

  it("and sent as they are where nothing is wrong, a provider's own fields too", async () => {
    await provider.createSnapshot("i", { key: "k", name: "nightly" });
    await provider.createVolume({ ...volume, region: undefined, ...{ tier: "fast" } });
    await provider.warmVolume(warm);
    await provider.claimWarmVolume({ pool: "p", instanceId: "i" });
    await provider.getCosts({ ...costs, groupBy: "day" });
    expect(sent.mock.calls).toEqual([
      ["i", { key: "k", name: "nightly" }],
      [{ ...volume, tier: "fast" }],
      [warm],
      [{ pool: "p", instanceId: "i" }],
      [{ ...costs, groupBy: "day" }],
    ]);
  });
});
