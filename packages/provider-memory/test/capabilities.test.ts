import { memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

const HOUR = 3_600_000;
const fresh = (settings?: Parameters<typeof memoryWorld>[0]) => {
  const world = memoryWorld(settings);
  return { world, provider: memory({ owner: "ci", world }), other: memory({ owner: "ci", world }) };
};

describe("snapshots", () => {
  test("pending, then available, restorable where they are, and each key makes one", async () => {
    const { world, provider, other } = fresh();
    const { id, nativeId } = await provider.spawn({ key: "k", region: "mem-west-1" });
    expect((await thrown(provider.createSnapshot(id, { key: "s" }))).code).toBe("BUSY");
    await world.clock.sleep(20_000);
    const [snapshot, again] = await Promise.all([
      provider.createSnapshot(id, { key: "s", name: "nightly" }),
      other.createSnapshot(nativeId, { key: "s" }),
    ]);
    expect(again.id).toBe(snapshot.id);
    expect(snapshot).toMatchObject({
      status: "pending",
      name: "nightly",
      instanceId: id,
      region: "mem-west-1",
      owner: "ci",
    });
    expect((await thrown(provider.spawn({ fromSnapshot: snapshot.id }))).code).toBe("BUSY");
    await world.clock.sleep(30_000);
    expect(await provider.getSnapshotStatus(snapshot.nativeId)).toBe("available");
    const restored = await provider.spawn({ fromSnapshot: snapshot.id });
    expect(restored).toMatchObject({ region: "mem-west-1", fromSnapshot: snapshot.id });
    expect((await thrown(provider.spawn({ fromSnapshot: snapshot.id, region: "mem-east-1" }))).code).toBe(
      "INVALID_SPEC",
    );
    expect(await provider.listSnapshots({ instanceId: nativeId })).toHaveLength(1);
    expect(await provider.listSnapshots({ instanceId: restored.id })).toEqual([]);
    expect((await thrown(provider.createSnapshot(restored.id, { key: "s" }))).code).toBe("CONFLICT");
  });

  test("one that failed cannot be restored; one that is deleted is gone, and its key is free", async () => {
    const { world, provider } = fresh();
    const { id } = await provider.spawn({});
    await world.clock.sleep(20_000);
    const snapshot = await provider.createSnapshot(id, { key: "s" });
    world.failSnapshot(snapshot.nativeId);
    await world.clock.sleep(60_000);
    expect(await provider.getSnapshotStatus(snapshot.id)).toBe("failed");
    expect((await thrown(provider.spawn({ fromSnapshot: snapshot.id }))).code).toBe("INVALID_STATE");
    for (let i = 0; i < 3; i += 1) await provider.deleteSnapshot(snapshot.id);
    expect(await provider.getSnapshotStatus(snapshot.id)).toBeNull();
    expect((await thrown(provider.spawn({ fromSnapshot: snapshot.id }))).code).toBe("NOT_FOUND");
    expect((await provider.createSnapshot(id, { key: "s" })).id).not.toBe(snapshot.id);
  });

  test("a snapshot outlives its instance; of an instance that is gone there is none", async () => {
    const { world, provider } = fresh();
    const { id } = await provider.spawn({});
    await world.clock.sleep(20_000);
    await provider.createSnapshot(id, { key: "s" });
    await provider.terminate(id);
    await world.clock.sleep(60_000);
    expect(await provider.listSnapshots()).toMatchObject([{ status: "available", instanceId: id }]);
    expect((await thrown(provider.createSnapshot(id, { key: "t" }))).code).toBe("NOT_FOUND");
  });
});

describe("spot", () => {
  test("a request waits for capacity, is filled with an instance as every other, and the key answers it", async () => {
    const { world, provider, other } = fresh({ capacity: [{ machines: 0 }] });
    const open = await provider.requestSpotInstance({ key: "k", spec: "m1.large" });
    expect(open).toMatchObject({ status: "open", instanceId: null });
    await world.clock.sleep(60_000);
    expect(await other.requestSpotInstance({ key: "k", spec: "m1.large" })).toEqual(open);
    expect((await thrown(other.requestSpotInstance({ key: "k", spec: "m1.small" }))).code).toBe("CONFLICT");
    expect((await thrown(other.spawn({ key: "k", spec: "m1.large" }))).code).toBe("CONFLICT");
    world.setCapacity({ machines: 1 });
    await world.clock.sleep(6_000);
    const filled = await provider.requestSpotInstance({ key: "k", spec: "m1.large" });
    expect(filled).toMatchObject({ requestId: open.requestId, status: "fulfilled" });
    const [instance] = await provider.list({ keys: ["k"] });
    expect(instance).toMatchObject({ id: filled.instanceId, isSpot: true, price: { usdPerHour: 0.09 } });
  });

  test("what a request made comes up by itself, also where a creation has two steps", async () => {
    const { world, provider } = fresh({ creation: "two-step" });
    await provider.requestSpotInstance({ key: "k" });
    await world.clock.sleep(30_000);
    expect(await provider.list({ keys: ["k"] })).toMatchObject([{ status: "running", isSpot: true }]);
  });

  test("a bid below the market waits for the price, or is lost when its time is over", async () => {
    const { world, provider } = fresh({ spotPatienceMs: 30_000 });
    const options = { key: "k", spec: "m1.large", spot: { maxUsdPerHour: 0.05 } };
    await provider.requestSpotInstance(options);
    await world.clock.sleep(31_000);
    const lost = { key: "k", spec: "m1.large", spot: { maxUsdPerHour: 0.05 } };
    expect(world.instances()).toEqual([]);
    const again = await provider.requestSpotInstance(lost);
    expect(again.status).toBe("open");
    world.setSpotFactor(0.1);
    await world.clock.sleep(6_000);
    expect((await provider.requestSpotInstance(options)).status).toBe("fulfilled");
    expect(await thrown(provider.spawn({ spec: "m1.large", spot: { maxUsdPerHour: 0.001 } }))).toMatchObject({
      code: "CAPACITY_ERROR",
      scope: "capacity-type",
      effect: "none",
    });
  });

  test("cancel ends the request and what it made, at every moment and however often", async () => {
    for (const wait of [0, 4_999, 5_100, 40_000]) {
      const { world, provider } = fresh();
      const { requestId } = await provider.requestSpotInstance({ key: "k" });
      await world.clock.sleep(wait);
      for (let i = 0; i < 3; i += 1) await provider.cancelSpotRequest(requestId);
      await world.clock.sleep(100_000);
      expect(world.instances().filter(({ live }) => live)).toEqual([]);
      const anew = await provider.requestSpotInstance({ key: "k" });
      expect(anew).toMatchObject({ status: "open" });
      expect(anew.requestId).not.toBe(requestId);
    }
    await fresh().provider.cancelSpotRequest("mem-east-1/membid-000000000000");
  });

  test("capacity that is reclaimed ends the instance, and says why", async () => {
    const { world, provider } = fresh();
    const { id, nativeId } = await provider.spawn({ spot: {} });
    const { nativeId: firm } = await provider.spawn({});
    await world.clock.sleep(20_000);
    world.interruptSpot(nativeId);
    expect(() => world.interruptSpot(firm)).toThrow(RangeError);
    expect(await provider.get(id)).toMatchObject({ status: "terminating", statusReason: { code: "reclaimed" } });
    expect(await thrown(provider.createSnapshot(id, { key: "s" }))).toMatchObject({
      code: "SPOT_INTERRUPTED",
      effect: "none",
    });
    await world.clock.sleep(5_000);
    expect((await provider.get(id))?.status).toBe("terminated");
  });

  test("prices by spec, region and zone; what the remote does not tell is left out", async () => {
    const { world, provider } = fresh({ prices: { "m1.large": null } });
    const all = await provider.getSpotPrices();
    expect(all).toHaveLength(4 * 4);
    expect(all.some(({ spec }) => spec === "m1.large")).toBe(false);
    const some = await provider.getSpotPrices({ specs: ["m1.medium"], regions: ["mem-west-1"] });
    expect(some.map(({ zone, usdPerHour }) => `${zone} ${usdPerHour}`)).toEqual([
      "mem-west-1a 0.012",
      "mem-west-1b 0.012",
    ]);
    expect(Math.abs(Date.parse(some[0]?.asOf ?? "") - world.clock.now())).toBeLessThan(100);
  });
});

describe("volumes", () => {
  test("are mounted where they are, held while the instance is there, and free afterwards", async () => {
    const { world, provider } = fresh();
    const volume = await provider.createVolume({ key: "v", sizeBytes: 5, zone: "mem-west-1b" });
    expect(volume).toMatchObject({ status: "pending", region: "mem-west-1", zone: "mem-west-1b", attachedTo: null });
    const mount = { volumes: [{ id: volume.id, mountPath: "/data" }] };
    expect((await thrown(provider.spawn(mount))).code).toBe("BUSY");
    await world.clock.sleep(2_000);
    const instance = await provider.spawn({ key: "k", ...mount });
    expect(instance).toMatchObject({ zone: "mem-west-1b", volumes: [{ id: volume.id, mountPath: "/data" }] });
    expect(await provider.listVolumes({ keys: ["v"] })).toMatchObject([
      { status: "attached", attachedTo: instance.id },
    ]);
    expect(await thrown(provider.deleteVolume(volume.id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    expect((await thrown(provider.spawn({ key: "second", ...mount }))).code).toBe("INVALID_STATE");
    await provider.terminate(instance.id);
    await world.clock.sleep(5_000);
    expect(await provider.listVolumes({ ids: [volume.id] })).toMatchObject([{ status: "available", attachedTo: null }]);
    for (let i = 0; i < 3; i += 1) await provider.deleteVolume(volume.id);
    await world.clock.sleep(2_000);
    expect(await provider.listVolumes({ owner: "*" })).toEqual([]);
    expect(world.volumes()).toEqual([]);
  });

  test("one key, one volume; another size, zone or region is CONFLICT", async () => {
    const { world, provider, other } = fresh();
    const options = { key: "v", sizeBytes: 5 };
    const made = await Promise.all([provider.createVolume(options), other.createVolume(options)]);
    expect(made[0]?.id).toBe(made[1]?.id);
    for (const more of [{ sizeBytes: 6 }, { zone: "mem-east-1b" }, { region: "mem-west-1" }]) {
      const error = await thrown(other.createVolume({ ...options, ...more }));
      expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: made[0]?.id } });
    }
    expect(world.volumes()).toHaveLength(1);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("a size of %d is refused", async (sizeBytes) => {
    expect((await thrown(fresh().provider.createVolume({ key: "v", sizeBytes }))).code).toBe("INVALID_SPEC");
  });

  test("volumes that stand apart, or twice in one request, are refused before anything is made", async () => {
    const { world, provider } = fresh();
    const a = await provider.createVolume({ key: "a", sizeBytes: 1, zone: "mem-east-1a" });
    const b = await provider.createVolume({ key: "b", sizeBytes: 1, zone: "mem-east-1b" });
    const west = await provider.createVolume({ key: "w", sizeBytes: 1, zone: "mem-west-1a" });
    await world.clock.sleep(2_000);
    const changes = world.changes;
    const mounts = (...ids: string[]) => ({ volumes: ids.map((id, at) => ({ id, mountPath: `/${at}` })) });
    for (const options of [mounts(a.id, b.id), mounts(a.id, west.id), mounts(a.id, a.id)]) {
      expect((await thrown(provider.spawn(options))).code).toBe("INVALID_SPEC");
    }
    const same = {
      volumes: [
        { id: a.id, mountPath: "/d" },
        { id: b.id, mountPath: "/d" },
      ],
    };
    expect((await thrown(provider.spawn(same))).code).toBe("INVALID_SPEC");
    expect((await thrown(provider.spawn(mounts("mem-east-1/memdisk-000000000000")))).code).toBe("NOT_FOUND");
    expect(world.changes).toBe(changes);
  });
});

describe("warm volumes", () => {
  test("of many claims at the same time each volume goes to one, and null is the answer when none is left", async () => {
    const { world, provider, other } = fresh({ readAfterWriteMs: 1_000 });
    const warm = (key: string) => provider.warmVolume({ key, pool: "p", sizeBytes: 1, zone: "mem-east-1a" });
    const volumes = await Promise.all(["a", "b", "c"].map(warm));
    const instances = await Promise.all(Array.from({ length: 8 }, (_, at) => provider.spawn({ key: `k${at}` })));
    await world.clock.sleep(30_000);
    const claims = await Promise.all(
      instances.map(({ id }, at) => (at % 2 === 0 ? provider : other).claimWarmVolume({ pool: "p", instanceId: id })),
    );
    const got = claims.flatMap((volume) => (volume === null ? [] : [volume.id]));
    expect(got.sort()).toEqual(volumes.map(({ id }) => id).sort());
    const [released] = got;
    await provider.releaseWarmVolume(released ?? "");
    await provider.releaseWarmVolume(released ?? "");
    const idle = instances[claims.indexOf(null)];
    // The listing is late and still shows it as attached.
    expect((await other.claimWarmVolume({ pool: "p", instanceId: idle?.id ?? "" }))?.id).toBe(released);
  });

  test("the zone is the instance's, and so must its life be", async () => {
    const { world, provider } = fresh();
    await provider.warmVolume({ key: "far", pool: "p", sizeBytes: 1, zone: "mem-east-1b" });
    const { id } = await provider.spawn({});
    await world.clock.sleep(20_000);
    expect(await provider.claimWarmVolume({ pool: "p", instanceId: id })).toBeNull();
    await provider.warmVolume({ key: "near", pool: "p", sizeBytes: 1, zone: "mem-east-1a" });
    await world.clock.sleep(2_000);
    const young = await provider.spawn({ key: "young" });
    expect((await thrown(provider.claimWarmVolume({ pool: "p", instanceId: young.id }))).code).toBe("BUSY");
    const unknown = "mem-east-1/mem-000000000000";
    expect((await thrown(provider.claimWarmVolume({ pool: "empty", instanceId: unknown }))).code).toBe("NOT_FOUND");
    expect((await provider.claimWarmVolume({ pool: "p", instanceId: id }))?.key).toBe("near");
  });

  test("an instance is made with one of a pool, where the pool has one", async () => {
    const { world, provider } = fresh();
    const volume = await provider.warmVolume({ key: "w", pool: "p", sizeBytes: 1, zone: "mem-east-1b" });
    await world.clock.sleep(2_000);
    const instance = await provider.spawn({ key: "k", warmVolume: "p" });
    expect(instance).toMatchObject({ zone: "mem-east-1b", volumes: [{ id: volume.id }] });
    expect(await thrown(provider.spawn({ warmVolume: "p" }))).toMatchObject({ code: "CAPACITY_ERROR", effect: "none" });
    expect((await provider.spawn({ key: "k", warmVolume: "p" })).id).toBe(instance.id);
    const plain = await provider.createVolume({ key: "plain", sizeBytes: 1 });
    expect((await thrown(provider.releaseWarmVolume(plain.id))).code).toBe("INVALID_STATE");
  });
});

describe("hibernation", () => {
  test("keeps the instance, not its address, and costs nothing meanwhile", async () => {
    const { world, provider } = fresh({ latencyMs: 0 });
    const { id } = await provider.spawn({ hibernation: true, spec: "m1.large" });
    expect((await thrown(provider.hibernate(id))).code).toBe("BUSY");
    await world.clock.sleep(20_000);
    const before = await provider.get(id);
    expect((await provider.hibernate(id)).status).toBe("stopping");
    expect((await provider.hibernate(id)).status).toBe("stopping");
    expect((await thrown(provider.resume(id))).code).toBe("BUSY");
    await world.clock.sleep(10_000);
    const asleep = await provider.get(id);
    expect(asleep).toMatchObject({ status: "hibernated", addresses: { privateIpv4: before?.addresses.privateIpv4 } });
    expect(asleep?.addresses.publicIpv4).toBeUndefined();
    const from = new Date(world.clock.now()).toISOString();
    await world.clock.sleep(10 * HOUR);
    const to = new Date(world.clock.now()).toISOString();
    expect(await provider.getCosts({ from, to })).toMatchObject([{ usd: 0 }]);
    expect((await provider.resume(id)).status).toBe("pending");
    await world.clock.sleep(20_000);
    const awake = await provider.resume(id);
    expect(awake.status).toBe("running");
    expect(awake.addresses.publicIpv4).not.toBe(before?.addresses.publicIpv4);
  });

  test("is for those that were made for it", async () => {
    const { world, provider } = fresh();
    const { id } = await provider.spawn({});
    await world.clock.sleep(20_000);
    expect(await thrown(provider.hibernate(id))).toMatchObject({ code: "INVALID_STATE", effect: "none" });
  });

  test("a bootstrap sleeps with its instance", async () => {
    const { world, provider } = fresh();
    const { id } = await provider.spawn({ hibernation: true, bootstrap: { script: "exit 2" } });
    await world.clock.sleep(20_000);
    await provider.hibernate(id);
    await world.clock.sleep(HOUR);
    expect(await provider.get(id)).toMatchObject({ status: "hibernated", bootstrap: { state: "running" } });
    await provider.resume(id);
    await world.clock.sleep(60_000);
    expect(await provider.get(id)).toMatchObject({ status: "error", bootstrap: { exitCode: 2 } });
  });
});

describe("costs", () => {
  test("the price times the life, by instance, spec and day", async () => {
    const { world, provider } = fresh({ latencyMs: 0, terminateMs: 0 });
    const begun = world.clock.now();
    const iso = (ms: number) => new Date(begun + ms).toISOString();
    await memory({ owner: "neighbour", world }).spawn({ spec: "g1.eight" });
    const a = await provider.spawn({ key: "a", spec: "m1.large" });
    await world.clock.sleep(30 * HOUR);
    const b = await provider.spawn({ key: "b", spec: "m1.medium" });
    await provider.terminate(a.id);
    await world.clock.sleep(10 * HOUR);
    const query = { from: iso(0), to: iso(48 * HOUR) };
    expect(await provider.getCosts(query)).toEqual([
      { usd: 30 * 0.3 + 10 * 0.04, from: iso(0), to: iso(48 * HOUR), group: null, estimated: true },
    ]);
    const grouped = async (groupBy: "day" | "instance" | "spec") =>
      (await provider.getCosts({ ...query, groupBy })).map(({ group, usd }) => `${group} ${usd}`);
    expect(await grouped("instance")).toEqual([`${a.id} 9`, `${b.id} 0.4`].sort());
    expect(await grouped("spec")).toEqual(["m1.large 9", "m1.medium 0.4"]);
    expect(await grouped("day")).toEqual(["2026-01-01 7.2", "2026-01-02 2.2"]);
    expect(await provider.getCosts({ from: iso(HOUR), to: iso(2 * HOUR) })).toMatchObject([
      { usd: 0.3, estimated: false },
    ]);
    for (const wrong of [
      { from: iso(1), to: iso(0) },
      { from: "yesterday", to: iso(1) },
      { ...query, groupBy: "colour" as never },
    ]) {
      expect((await thrown(provider.getCosts(wrong))).code).toBe("INVALID_SPEC");
    }
  });
});

describe("options that only show", () => {
  test("ports, keys, network, tailnet, labels and the rest are on the instance; unknown fields are refused", async () => {
    const { provider } = fresh();
    const instance = await provider.spawn({
      name: "web one",
      labels: { team: "a" },
      ports: [{ port: 80 }, { port: 53, protocol: "udp", hostPort: 5_353 }],
      sshKeys: ["ssh-ed25519 AAAA me"],
      expiresAt: "2030-01-01T00:00:00Z",
      network: { id: "net-1", firewalls: ["web"], isolated: true },
      tailscale: { authKey: "tskey", hostname: "web" },
    });
    expect(instance).toMatchObject({
      name: "web one",
      labels: { team: "a" },
      ports: [
        { port: 80, protocol: "tcp", hostPort: 80 },
        { port: 53, protocol: "udp", hostPort: 5_353 },
      ],
      sshKeys: ["ssh-ed25519 AAAA me"],
      expiresAt: "2030-01-01T00:00:00Z",
      network: { id: "net-1", firewalls: ["web"], isolated: true },
      tailscale: { hostname: "web", tags: [] },
    });
    for (const wrong of [
      { network: { vlan: 7 } },
      { tailscale: { authKey: "" } },
      { spot: { maxUsdPerHour: -1 } },
      { labels: { "slipway:owner": "me" } },
      { gpu: { count: 1, color: "red" } },
    ]) {
      expect(await thrown(provider.spawn(wrong as never))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
  });
});
