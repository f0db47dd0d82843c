import "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { awsWorld, failure, through } from "../world.ts";

const GIB = 1024 ** 3;
const spec = { spec: "m5.large" } as const;
const zone = "us-east-1b";

describe("a volume", () => {
  test("is encrypted, and bears owner and key in the call that makes it", async () => {
    const { provider, emulator } = awsWorld();
    const volume = await provider.createVolume({ key: "v", sizeBytes: 1.5 * GIB, zone });
    const [made] = emulator.control.volumes();
    expect(made).toMatchObject({
      encrypted: true,
      sizeGib: 2,
      zone,
      tags: { "slipway:owner": "tests", "slipway:key": "v" },
    });
    expect(volume).toMatchObject({ sizeBytes: 2 * GIB, zone, region: "us-east-1", key: "v", owner: "tests" });
  });

  test("is made once by many processes at once", async () => {
    const world = awsWorld({ readLagMs: 2_000 });
    const made = await Promise.all(
      Array.from({ length: 5 }, () => world.another().createVolume({ key: "v", sizeBytes: GIB, zone })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(world.emulator.control.volumes()).toHaveLength(1);
  });

  test("of two sizes that are asked for at once is made in one", async () => {
    const world = awsWorld({ readLagMs: 2_000 });
    const asked = [1, 2].map((gib) => world.another().createVolume({ key: "v", sizeBytes: gib * GIB, zone }));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(world.emulator.control.volumes()).toHaveLength(1);
  });

  test("is made anew once the one before is deleted, though EC2 remembers the token", async () => {
    const world = awsWorld();
    const first = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    await world.provider.deleteVolume(first.id);
    await world.emulator.clock.sleep(120_000);
    const second = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    expect(second.id).not.toBe(first.id);
    expect((await world.provider.listVolumes()).map(({ id }) => id)).toEqual([second.id]);
  });

  test("that EC2 tells of for an old token, and that it no longer has, is made anew", async () => {
    const world = awsWorld();
    const first = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    await world.provider.deleteVolume(first.id);
    await world.emulator.clock.sleep(120_000);
    // What EC2 answered to the first request, word for word, as it may do for a repeated token.
    const stale = through(world, async ({ action, parameters }, send) => {
      const isFirst = parameters.get("ClientToken") === world.sent("CreateVolume")[0]?.parameters.get("ClientToken");
      if (action !== "CreateVolume" || !isFirst) return await send();
      const told = `<volumeId>${first.id.split("/").at(-1)}</volumeId><size>1</size><status>creating</status><availabilityZone>${zone}</availabilityZone><createTime>${new Date(world.emulator.clock.now() - 120_000).toISOString()}</createTime>`;
      const body = `<CreateVolumeResponse><requestId>1</requestId>${told}</CreateVolumeResponse>`;
      return new Response(body, { headers: { "content-type": "text/xml;charset=UTF-8" } });
    });
    const second = await stale.createVolume({ key: "v", sizeBytes: GIB, zone });
    expect(second.id).not.toBe(first.id);
    expect((await world.provider.listVolumes()).map(({ id }) => id)).toEqual([second.id]);
  });

  test.each(["*", "v?", "a\\b", "v*"])("of the key %j is told apart from others", async (key) => {
    const { provider } = awsWorld();
    await provider.createVolume({ key: "v1", sizeBytes: GIB, zone });
    const odd = await provider.createVolume({ key, sizeBytes: 2 * GIB, zone });
    expect(await provider.listVolumes({ keys: [key] })).toEqual([expect.objectContaining({ id: odd.id, key })]);
  });

  test("is never an instance's own disk: that is neither listed nor deleted", async () => {
    const { provider, emulator } = awsWorld({ bootMs: 0 });
    await provider.spawn({ ...spec, key: "same" });
    const [disk] = emulator.control.volumes();
    expect(await provider.listVolumes({ owner: "*" })).toEqual([]);
    const volume = await provider.createVolume({ key: "same", sizeBytes: GIB, zone });
    expect(volume.id).not.toBe(`us-east-1/${disk?.id}`);
    expect(await failure(provider.deleteVolume(disk?.id ?? ""))).toMatchObject({ code: "CONFLICT", effect: "none" });
  });

  describe("while listings lag", () => {
    const lagging = () =>
      awsWorld({ readLagMs: 30_000 }, { readAfterWriteMs: 31_000, regions: ["us-east-1", "eu-central-1"] });

    test("is made anew after its deletion, and the deleted one is neither listed nor attached", async () => {
      const { provider, emulator } = lagging();
      const first = await provider.createVolume({ key: "v", sizeBytes: GIB, zone });
      await emulator.clock.sleep(60_000);
      await provider.deleteVolume(first.id);
      expect(await provider.listVolumes()).toEqual([]);
      const volumes = [{ id: first.id, mountPath: "/data" }];
      const refused = await failure(provider.spawn({ ...spec, volumes }));
      expect(refused).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
      expect((await provider.createVolume({ key: "v", sizeBytes: GIB, zone })).id).not.toBe(first.id);
    });

    test("is not there once it is deleted, however new it is", async () => {
      const { provider } = lagging();
      const { id } = await provider.createVolume({ key: "v", sizeBytes: GIB, zone });
      await provider.deleteVolume(id);
      const refused = await failure(provider.spawn({ ...spec, volumes: [{ id, mountPath: "/data" }] }));
      expect(refused).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    });

    test.each(["createVolume", "warmVolume"] as const)(
      "%s in another zone is CONFLICT, with one made",
      async (name) => {
        const { provider, emulator } = lagging();
        const wanted = { key: "v", sizeBytes: GIB, pool: "data" };
        await provider[name]({ ...wanted, zone });
        const refused = await failure(provider[name]({ ...wanted, zone: "us-east-1c" }));
        expect(refused).toMatchObject({ code: "CONFLICT", effect: "none" });
        expect(emulator.control.volumes()).toHaveLength(1);
      },
    );

    test.each(["us-east-1c", "eu-central-1a"])(
      "is made once where the first answer was lost, and %s is asked for then",
      async (other) => {
        const { provider, emulator } = lagging();
        emulator.control.faults.add({ operation: "CreateVolume", when: "reply-lost" });
        await failure(provider.createVolume({ key: "v", sizeBytes: GIB, zone }));
        const refused = await failure(provider.createVolume({ key: "v", sizeBytes: GIB, zone: other }));
        expect(refused).toMatchObject({ code: "CONFLICT", effect: "none" });
        expect((await provider.createVolume({ key: "v", sizeBytes: GIB })).zone).toBe(zone);
        expect(emulator.control.volumes()).toHaveLength(1);
      },
    );

    test("goes to another zone where nothing came of the first try", async () => {
      const { provider, emulator } = lagging();
      emulator.control.faults.add({ operation: "CreateVolume", when: "before", row: "connection-reset" });
      await failure(provider.createVolume({ key: "v", sizeBytes: GIB, zone }));
      const other = await provider.createVolume({ key: "v", sizeBytes: GIB, zone: "us-east-1c" });
      expect(other.zone).toBe("us-east-1c");
      expect(emulator.control.volumes()).toHaveLength(1);
    });

    test("is the same one where the second call names no place", async () => {
      const { provider, emulator } = lagging();
      const { id } = await provider.createVolume({ key: "v", sizeBytes: GIB, zone: "eu-central-1c" });
      expect((await provider.createVolume({ key: "v", sizeBytes: GIB })).id).toBe(id);
      expect(emulator.control.volumes()).toHaveLength(1);
    });
  });

  test.each(["createVolume", "warmVolume"] as const)("by %s is one in all regions", async (name) => {
    const { provider, emulator, another } = awsWorld({}, { regions: ["us-east-1", "eu-central-1"] });
    const wanted = { key: "v", sizeBytes: GIB, pool: "data" };
    const { id } = await provider[name]({ ...wanted, zone });
    await emulator.clock.sleep(60_000);
    const elsewhere = [() => another()[name]({ ...wanted, zone: "eu-central-1a" })];
    if (name === "createVolume") elsewhere.push(() => another().createVolume({ ...wanted, region: "eu-central-1" }));
    for (const call of elsewhere) {
      expect(await failure(call())).toMatchObject({ code: "CONFLICT", effect: "none", native: { id } });
    }
    expect(emulator.control.volumes()).toHaveLength(1);
  });

  test("in a zone of another region is INVALID_SPEC before any call", async () => {
    const { provider, emulator } = awsWorld();
    const error = await failure(provider.createVolume({ key: "v", sizeBytes: GIB, zone: "eu-west-1a" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(emulator.control.requests).toEqual([]);
  });
});

describe("a spawn with volumes", () => {
  test("goes to their zone, attaches them, and tells the guest where to mount them", async () => {
    const { provider, emulator, sent } = awsWorld({ bootMs: 5_000 });
    const { id } = await provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    await emulator.clock.sleep(5_000);
    const instance = await provider.spawn({ ...spec, volumes: [{ id, mountPath: "/var/lib/it's here" }] });
    expect(instance).toMatchObject({ zone, status: "running" });
    const [listed] = await provider.listVolumes();
    expect(listed).toMatchObject({ status: "attached", attachedTo: instance.id });
    const script = Buffer.from(sent("RunInstances")[0]?.parameters.get("UserData") ?? "", "base64").toString();
    expect(script).toContain(id.slice(id.indexOf("/") + 1));
    expect(script).toContain(`'/var/lib/it'\\''s here'`);
    await provider.terminate(instance.id);
    await emulator.clock.sleep(120_000);
    expect((await provider.listVolumes())[0]).toMatchObject({ id, status: "available", attachedTo: null });
  });

  test("that was killed after the launch is finished by the next one", async () => {
    const world = awsWorld({ bootMs: 5_000 });
    const { id } = await world.provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    await world.emulator.clock.sleep(5_000);
    const options = { ...spec, key: "k", volumes: [{ id, mountPath: "/data" }] };
    const controller = new AbortController();
    const cut = world.provider.spawn({ ...options, signal: controller.signal });
    const error = failure(cut);
    while (world.sent("RunInstances").length === 0) await world.emulator.clock.sleep(50);
    await world.emulator.clock.sleep(1_000);
    controller.abort();
    expect(await error).toMatchObject({ code: "CANCELLED", effect: "applied" });
    const instance = await world.another().spawn(options);
    expect((await world.provider.listVolumes())[0]?.attachedTo).toBe(instance.id);
    expect(world.emulator.control.instances()).toHaveLength(1);
  });

  test.each([0, 15_000])(
    "that is repeated attaches again what is on its way out, where reads lag by %i ms",
    async (lag) => {
      const { provider, emulator } = awsWorld(
        { bootMs: 1_000, attachMs: 5_000, readLagMs: lag },
        { readAfterWriteMs: 16_000 },
      );
      const { id } = await provider.warmVolume({ key: "v", pool: "data", sizeBytes: GIB, zone });
      await emulator.clock.sleep(30_000);
      const options = { ...spec, key: "k", volumes: [{ id, mountPath: "/data" }] };
      const instance = await provider.spawn(options);
      await emulator.clock.sleep(30_000);
      await provider.releaseWarmVolume(id);
      await provider.spawn(options);
      const [attachment] = emulator.control.volumes().flatMap((one) => (id.endsWith(one.id) ? [one.attachment] : []));
      expect(attachment?.status).toMatch(/^attach/);
      expect(instance.id).toContain(attachment?.instanceId);
    },
  );

  test("in two zones is refused with nothing made", async () => {
    const { provider, emulator } = awsWorld();
    const a = await provider.createVolume({ key: "a", sizeBytes: GIB, zone: "us-east-1a" });
    const b = await provider.createVolume({ key: "b", sizeBytes: GIB, zone: "us-east-1b" });
    const volumes = [a, b].map(({ id, key }) => ({ id, mountPath: `/mnt/${key}` }));
    expect(await failure(provider.spawn({ ...spec, volumes }))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(emulator.control.instances()).toEqual([]);
  });

  test("that another instance has is refused with nothing made", async () => {
    const { provider, emulator } = awsWorld({ bootMs: 0 });
    const { id } = await provider.createVolume({ key: "v", sizeBytes: GIB, zone });
    await emulator.clock.sleep(5_000);
    const volumes = [{ id, mountPath: "/data" }];
    await provider.spawn({ ...spec, key: "first", volumes });
    await emulator.clock.sleep(5_000);
    const error = await failure(provider.spawn({ ...spec, key: "second", volumes }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(emulator.control.instances()).toHaveLength(1);
  });
});

describe("a pool", () => {
  test.each(["data", "*", "da?a"])("named %j gives its own volumes alone", async (pool) => {
    const { provider, emulator } = awsWorld({ bootMs: 0 });
    await provider.warmVolume({ key: "other", pool: "daxa", sizeBytes: GIB, zone });
    const mine = await provider.warmVolume({ key: "mine", pool, sizeBytes: GIB, zone });
    await emulator.clock.sleep(5_000);
    const [place] = (await provider.placements(spec)).filter((_one, at) => at >= 0);
    const instance = await provider.spawn({ ...spec, ...place, warmVolume: pool });
    const [held] = (await provider.listVolumes()).filter(({ attachedTo }) => attachedTo === instance.id);
    expect(held?.id ?? mine.id).toBe(mine.id);
  });

  test("does not give what it is just getting back", async () => {
    const world = awsWorld({ bootMs: 0, attachMs: 20_000, readLagMs: 15_000 }, { readAfterWriteMs: 16_000 });
    const { provider, emulator } = world;
    const { id } = await provider.warmVolume({ key: "v", pool: "data", sizeBytes: GIB, zone });
    await emulator.clock.sleep(60_000);
    const [place] = await provider.placements({ ...spec, warmVolume: "data" });
    const instance = await provider.spawn({ ...spec, ...place });
    await emulator.clock.sleep(60_000);
    expect((await provider.claimWarmVolume({ pool: "data", instanceId: instance.id }))?.id).toBe(id);
    await emulator.clock.sleep(2_000);
    await provider.releaseWarmVolume(id);
    expect(await provider.claimWarmVolume({ pool: "data", instanceId: instance.id })).toBeNull();
  });

  test("of one volume gives it to one of many claims", async () => {
    const world = awsWorld({ bootMs: 0, readLagMs: 1_000 });
    await world.provider.warmVolume({ key: "v", pool: "data", sizeBytes: GIB, zone });
    await world.emulator.clock.sleep(10_000);
    const subnets = world.emulator.control;
    expect(subnets.volumes()).toHaveLength(1);
    const { volumes: _none, ...plain } = { ...spec, volumes: undefined };
    const instances = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const places = await world.provider.placements({ ...plain, warmVolume: "data" });
        return await world.provider.spawn({ ...plain, ...places[0] });
      }),
    );
    await world.emulator.clock.sleep(10_000);
    const claims = await Promise.all(
      instances.map(({ id }) => world.another().claimWarmVolume({ pool: "data", instanceId: id })),
    );
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  });
});
