import { simulatedClock } from "@slipway/provider-kit/emulator";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

describe("lag", () => {
  test("each write is missed by reads for so long and no longer; writes themselves see at once", async () => {
    const world = memoryWorld({ readAfterWriteMs: 3_000, latencyMs: 0 });
    const provider = memory({ owner: "ci", world });
    expect(provider.limits.readAfterWriteMs).toBe(3_000);
    const { id } = await provider.spawn({ key: "k" });
    expect(world.instances()).toHaveLength(1);
    await world.clock.sleep(2_999);
    expect([await provider.get(id), await provider.list()]).toEqual([null, []]);
    await world.clock.sleep(1);
    expect((await provider.get(id))?.status).toBe("pending");
    await provider.terminate(id);
    await world.clock.sleep(2_999);
    expect((await provider.get(id))?.status).toBe("pending");
    await world.clock.sleep(1);
    expect((await provider.get(id))?.status).toBe("terminating");
  });

  test("only where a fault stands, if it is set so", async () => {
    const world = memoryWorld({ readAfterWriteMs: 3_000, staleReads: "faults" });
    const provider = memory({ owner: "ci", world });
    const { id } = await provider.spawn({});
    expect(await provider.get(id)).not.toBeNull();
    world.faults.add({ operation: "get", when: "stale-read" });
    expect(await provider.get(id)).toBeNull();
    expect(await provider.get(id)).not.toBeNull();
  });
});

test("throttling: a token bucket of each operation, with the time to wait", async () => {
  const world = memoryWorld({ latencyMs: 0, throttling: { spawn: { burst: 2, perSecond: 0.5 } } });
  const provider = memory({ owner: "ci", world });
  await provider.spawn({ key: "a" });
  await provider.spawn({ key: "b" });
  const error = await thrown(provider.spawn({ key: "c" }));
  expect(error).toMatchObject({ code: "RATE_LIMIT_ERROR", effect: "none", retryAfterMs: 2_000 });
  expect(await provider.list()).toHaveLength(2);
  await world.clock.sleep(error.retryAfterMs ?? 0);
  await provider.spawn({ key: "c" });
  expect((await thrown(provider.spawn({ key: "d" }))).code).toBe("RATE_LIMIT_ERROR");
});

test("a pacing object is asked before each request, told to wait, and its waits are events", async () => {
  const world = memoryWorld({ throttling: { spawn: { burst: 1, perSecond: 1 } } });
  const told: string[] = [];
  const provider = memory({
    owner: "ci",
    world,
    runtime: {
      limits: {
        acquire: ({ operation }) => {
          told.push(`acquire ${operation}`);
          return world.clock.sleep(7);
        },
        defer: ({ operation }, ms) => void told.push(`defer ${operation} ${ms}`),
      },
      onEvent: (event) => {
        if (event.type === "wait") told.push(`${event.reason} ${event.ms}`);
      },
    },
  });
  await provider.spawn({});
  await thrown(provider.spawn({}));
  expect(told.slice(0, 4)).toEqual(["acquire spawn", "pacing 7", "acquire spawn", "pacing 7"]);
  expect(told[4]).toMatch(/^defer spawn \d+$/);
});

describe("capacity", () => {
  test("of a zone, a spec, a region: the next zone is taken, then it is CAPACITY_ERROR", async () => {
    const world = memoryWorld({ capacity: [{ zone: "mem-east-1a", spec: "m1.large", machines: 1 }] });
    const provider = memory({ owner: "ci", world });
    world.setCapacity({ zone: "mem-east-1b", machines: 1 });
    const zones = [];
    for (const key of ["a", "b"]) zones.push((await provider.spawn({ key, spec: "m1.large" })).zone);
    expect(zones).toEqual(["mem-east-1a", "mem-east-1b"]);
    const error = await thrown(provider.spawn({ key: "c", spec: "m1.large" }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", retryable: true, effect: "none" });
    expect((await provider.spawn({ key: "d", spec: "m1.small" })).zone).toBe("mem-east-1a");
    expect((await provider.spawn({ key: "c", spec: "m1.large", region: "mem-west-1" })).region).toBe("mem-west-1");
  });

  test("is free again when the instance is gone, and can be taken away", async () => {
    const world = memoryWorld({ capacity: [{ machines: 1 }] });
    const provider = memory({ owner: "ci", world });
    const { id } = await provider.spawn({ key: "a" });
    await provider.terminate(id);
    expect((await thrown(provider.spawn({ key: "b" }))).code).toBe("CAPACITY_ERROR");
    await world.clock.sleep(5_000);
    await provider.spawn({ key: "b" });
    world.setCapacity({ machines: 0 });
    expect((await provider.spawn({ key: "b" })).key).toBe("b");
    expect((await thrown(provider.spawn({ key: "c" }))).code).toBe("CAPACITY_ERROR");
  });
});

test("quotas of the account, over all owners", async () => {
  const world = memoryWorld({ quotas: { machines: 3, gpus: 8, volumes: 1, snapshots: 0 } });
  const provider = memory({ owner: "ci", world });
  const { id } = await memory({ owner: "neighbour", world }).spawn({ gpu: { count: 8 } });
  expect(await thrown(provider.spawn({ gpu: { count: 1 } }))).toMatchObject({
    code: "QUOTA_EXCEEDED",
    retryable: false,
  });
  await provider.spawn({});
  await provider.spawn({});
  expect(await thrown(provider.spawn({}))).toMatchObject({ code: "QUOTA_EXCEEDED", scope: "account", effect: "none" });
  await provider.createVolume({ key: "v", sizeBytes: 1 });
  await provider.createVolume({ key: "v", sizeBytes: 1 });
  expect((await thrown(provider.createVolume({ key: "w", sizeBytes: 1 }))).code).toBe("QUOTA_EXCEEDED");
  await world.clock.sleep(20_000);
  expect((await thrown(provider.createSnapshot(id, { key: "s" }))).code).toBe("QUOTA_EXCEEDED");
  world.setQuotas({});
  await provider.createSnapshot(id, { key: "s" });
});

describe("the catalogue", () => {
  test("a spec by name, by resources, by gpus; what is not there is INVALID_SPEC", async () => {
    const provider = memory({ owner: "ci" });
    const GIB = 1024 ** 3;
    const specOf = async (options: object) => (await provider.spawn(options)).spec;
    expect(await specOf({})).toBe("m1.small");
    expect(await specOf({ resources: { memoryBytes: 2 * GIB } })).toBe("m1.medium");
    expect(await specOf({ resources: { cpus: 3 } })).toBe("m1.large");
    expect(await specOf({ gpu: { count: 2 } })).toBe("g1.eight");
    expect(await specOf({ gpu: { count: 1, type: "q100" }, spec: "g1.one" })).toBe("g1.one");
    for (const options of [
      { spec: "m1.huge" },
      { resources: { cpus: 65 } },
      { gpu: { count: 1, type: "h100" } },
      { gpu: { count: 2 }, spec: "g1.one" },
      { gpu: { count: 1 }, spec: "m1.large" },
    ]) {
      expect(await thrown(provider.spawn(options))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
  });

  test("prices are live, may be unknown, and bound a spawn", async () => {
    const world = memoryWorld({ prices: { "m1.medium": 0.5, "m1.large": null } });
    const provider = memory({ owner: "ci", world });
    const priced = await provider.spawn({ key: "k", spec: "m1.medium", maxUsdPerHour: 0.5 });
    expect(priced.price).toMatchObject({ usdPerHour: 0.5, per: "instance", source: "live" });
    expect(Date.parse(priced.price?.asOf ?? "")).toBe(world.clock.now());
    expect(await provider.spawn({ spec: "m1.large", maxUsdPerHour: 0.01 })).not.toHaveProperty("price");
    world.setPrice("m1.medium", 0.6);
    expect((await provider.spawn({ key: "k", spec: "m1.medium", maxUsdPerHour: 0.5 })).id).toBe(priced.id);
    const changes = world.changes;
    const error = await thrown(provider.spawn({ spec: "m1.medium", maxUsdPerHour: 0.5 }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toContain("maxUsdPerHour");
    expect(world.changes).toBe(changes);
  });

  test("images and regions can be bounded", async () => {
    const world = memoryWorld({ images: ["debian"], regions: [{ id: "here", name: "Here", zones: ["here-1"] }] });
    const provider = memory({ owner: "ci", world });
    expect(await provider.spawn({ image: "debian" })).toMatchObject({
      image: "debian",
      zone: "here-1",
      region: "here",
    });
    expect((await thrown(provider.spawn({ image: "ubuntu" }))).code).toBe("INVALID_SPEC");
    expect(() => memoryWorld({ regions: [] })).toThrow(TypeError);
    expect(() => memory({ owner: "ci", regions: [] })).toThrow(TypeError);
  });
});

test("a listing in pages is complete, or it throws", async () => {
  const world = memoryWorld({ pageSize: 2 });
  const provider = memory({ owner: "ci", world });
  await Promise.all(Array.from({ length: 7 }, (_, at) => provider.spawn({ key: `k${at}` })));
  expect((await provider.list()).map(({ key }) => key).sort()).toEqual(["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
  // The first page of the first region passes; a later one fails.
  world.faults.add(
    { operation: "machines.list", when: "delayed", delayMs: 1 },
    { operation: "machines.list", when: "before", code: "UNAVAILABLE" },
  );
  expect((await thrown(provider.list())).code).toBe("UNAVAILABLE");
});

test("the same seed makes the same ids, another seed others", async () => {
  const idOf = async (seed: number) => (await memory({ owner: "ci", world: memoryWorld({ seed }) }).spawn({})).id;
  expect(await idOf(1)).toBe(await idOf(1));
  expect(await idOf(1)).not.toBe(await idOf(2));
});

test("an own clock drives the world", async () => {
  const clock = simulatedClock({ start: "2031-01-01T00:00:00Z", auto: false });
  const world = memoryWorld({ clock, latencyMs: 0 });
  const { id, createdAt } = await memory({ owner: "ci", world }).spawn({});
  expect(createdAt).toBe("2031-01-01T00:00:00.000Z");
  await clock.advance(20_000);
  expect((await memory({ owner: "ci", world }).get(id))?.status).toBe("running");
});

describe("what befalls instances", () => {
  test.each([
    ["crash", "terminated", "crashed"],
    ["fail", "error", "failed"],
    ["stop", "stopped", "halted"],
  ] as const)("%s shows as %s", async (fault, status, code) => {
    const world = memoryWorld();
    const provider = memory({ owner: "ci", world });
    const { id, nativeId } = await provider.spawn({});
    await world.clock.sleep(20_000);
    world[fault](nativeId);
    expect(await provider.get(id)).toMatchObject({ status, statusReason: { code } });
    expect((await provider.list()).length).toBe(status === "terminated" ? 0 : 1);
    await world.clock.sleep(100_000);
    expect((await provider.get(id))?.status).toBe(status);
  });

  test("a state that no table knows is unknown, a removed one is gone, a changed address is read live", async () => {
    const world = memoryWorld();
    const provider = memory({ owner: "ci", world });
    const { id, nativeId } = await provider.spawn({});
    await world.clock.sleep(20_000);
    const before = (await provider.get(id))?.addresses.publicIpv4;
    world.changeAddress(nativeId);
    world.rename(nativeId, "other-name");
    const after = await provider.get(id);
    expect(after?.addresses.publicIpv4).not.toBe(before);
    expect(after).toMatchObject({ remoteName: "other-name", ssh: { host: after?.addresses.publicIpv4 } });
    world.setState(nativeId, "dreaming");
    expect(await provider.get(id)).toMatchObject({ status: "unknown", state: "dreaming" });
    world.remove(nativeId);
    expect(await provider.get(id)).toBeNull();
    expect(() => world.crash(nativeId)).toThrow(RangeError);
  });
});
