import { memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

const both = () => {
  const world = memoryWorld();
  return {
    world,
    provider: memory({ owner: "ci", world }),
    west: memory({ owner: "ci", world, regions: ["mem-west-1"] }),
  };
};

test("an id addresses its instance from any process, also one that looks elsewhere", async () => {
  const { provider, west } = both();
  const { id, nativeId } = await provider.spawn({ key: "k", region: "mem-east-1" });
  expect(id).toBe(`mem-east-1/${nativeId}`);
  expect((await west.get(id))?.id).toBe(id);
  expect((await provider.get(nativeId))?.id).toBe(id);
  expect(await west.get(nativeId)).toBeNull();
  expect(await west.list()).toEqual([]);
  expect(await provider.list({ ids: [nativeId] })).toHaveLength(1);
  expect(await provider.list({ ids: [id], region: "mem-west-1" })).toEqual([]);
});

test("a region that is not configured is INVALID_SPEC, in spawn, in lists, in prices and volumes", async () => {
  const { world, west } = both();
  const east = "mem-east-1";
  for (const call of [
    () => west.spawn({ region: east }),
    () => west.list({ region: east }),
    () => west.getSpotPrices({ regions: [east] }),
    () => west.createVolume({ key: "v", sizeBytes: 1, region: east }),
    () => west.createVolume({ key: "v", sizeBytes: 1, zone: "mem-east-1a" }),
    () => west.warmVolume({ key: "v", sizeBytes: 1, pool: "p", zone: "mem-east-1a" }),
    () => west.createVolume({ key: "v", sizeBytes: 1, region: "mem-west-1", zone: "mem-east-1a" }),
  ]) {
    expect(await thrown(call())).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  }
  expect(world.changes).toBe(0);
  expect((await west.listRegions()).map(({ id }) => id)).toEqual(["mem-west-1"]);
});

describe("a region that is down", () => {
  test("is an error with its scope, never a shorter list and never an absence", async () => {
    const { world, provider } = both();
    const east = await provider.spawn({ key: "a", region: "mem-east-1" });
    const west = await provider.spawn({ key: "b", region: "mem-west-1" });
    world.setRegionDown("mem-west-1", true);
    for (const call of [
      () => provider.list(),
      () => provider.get(west.id),
      () => provider.get(west.nativeId),
      () => provider.terminate(west.id),
      () => provider.terminate(west.nativeId),
      () => provider.get("mem-000000000000"),
      () => provider.listVolumes(),
      () => provider.listSnapshots(),
      () => provider.getSpotPrices(),
      () => provider.spawn({ region: "mem-west-1" }),
    ]) {
      expect(await thrown(call())).toMatchObject({ code: "UNAVAILABLE", scope: "region", effect: "none" });
    }
    expect(await provider.list({ region: "mem-east-1" })).toHaveLength(1);
    expect((await provider.get(east.nativeId))?.id).toBe(east.id);
    await provider.terminate(east.nativeId);
    world.setRegionDown("mem-west-1", false);
    expect((await provider.list()).map(({ key, status }) => `${key} ${status}`).sort()).toEqual([
      "a terminating",
      "b pending",
    ]);
  });
});

test("with a bare native id the effect is true of all regions that were asked", async () => {
  const { world, provider } = both();
  const { nativeId } = await provider.spawn({ region: "mem-west-1" });
  world.faults.add(
    { operation: "terminate", when: "before", code: "RATE_LIMIT_ERROR" },
    { operation: "terminate", when: "reply-lost" },
  );
  expect(await thrown(provider.terminate(nativeId))).toMatchObject({ code: "NETWORK", effect: "unknown" });
  expect(world.instances()).toMatchObject([{ state: "deleting" }]);
});

test.each([
  "",
  "mem-",
  "mem-00000000000g",
  "mem-east-1/memdisk-000000000000",
  "../mem-000000000000",
  "mars-1/mem-000000000000",
  "mem-east-1/mem-000000000000\n",
])("%j is no instance: get is null, terminate resolves, the rest is NOT_FOUND", async (id) => {
  const { provider, world } = both();
  expect(await provider.get(id)).toBeNull();
  await provider.terminate(id);
  expect((await thrown(provider.hibernate(id))).code).toBe("NOT_FOUND");
  expect((await thrown(provider.createSnapshot(id, { key: "s" }))).code).toBe("NOT_FOUND");
  expect(world.changes).toBe(0);
});
