import { CreateImageCommand } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { aws } from "../../src/index.ts";
import { CREDENTIALS } from "../aws-harness.ts";
import { ec2Client } from "../emulator/sdk.ts";
import { type AwsWorld, awsWorld, failure } from "../world.ts";

const spec = { spec: "m5.large" } as const;

async function imaged(world: AwsWorld) {
  const instance = await world.provider.spawn(spec);
  await world.emulator.clock.sleep(60_000);
  const snapshot = await world.provider.createSnapshot(instance.id, { key: "s", name: "before the change" });
  return { instance, snapshot };
}

describe("a snapshot", () => {
  test("is an image of all disks, without a reboot, that says whose it is", async () => {
    const world = awsWorld();
    const { instance, snapshot } = await imaged(world);
    const [{ parameters } = { parameters: new URLSearchParams() }] = world.sent("CreateImage");
    expect(parameters.get("NoReboot")).toBe("true");
    expect(snapshot).toMatchObject({ status: "pending", key: "s", owner: "tests", instanceId: instance.id });
    await world.emulator.clock.sleep(120_000);
    const [listed] = await world.provider.listSnapshots();
    expect(listed).toMatchObject({
      id: snapshot.id,
      name: "before the change",
      status: "available",
      architecture: "x86_64",
    });
    expect(listed?.disks).toHaveLength(1);
    expect(world.emulator.control.snapshots()[0]?.tags).toMatchObject({ "slipway:owner": "tests" });
  });

  test("is taken once by many processes at once", async () => {
    const world = awsWorld({ readLagMs: 2_000 });
    const { id } = await world.provider.spawn(spec);
    await world.emulator.clock.sleep(60_000);
    const taken = await Promise.all(Array.from({ length: 4 }, () => world.another().createSnapshot(id, { key: "s" })));
    expect(new Set(taken.map((one) => one.id)).size).toBe(1);
    expect(world.emulator.control.images()).toHaveLength(1);
  });

  test("leaves no disk behind, also where the remote ignores that it should delete them", async () => {
    const world = awsWorld();
    const { runtime = {} } = world.options();
    const ignoring: typeof globalThis.fetch = async (input, init) => {
      const body = String(init?.body).replace("&DeleteAssociatedSnapshots=true", "");
      return await (runtime.fetch ?? globalThis.fetch)(input, { ...init, body });
    };
    const provider = aws(world.options({ runtime: { ...runtime, fetch: ignoring } }));
    const { snapshot } = await imaged(world);
    await world.emulator.clock.sleep(120_000);
    expect(world.emulator.control.snapshots()).toHaveLength(1);
    await provider.deleteSnapshot(snapshot.id);
    expect(world.emulator.control.images()).toEqual([]);
    expect(world.emulator.control.snapshots()).toEqual([]);
  });

  test("whose deletion was cut off in the middle is deleted by the next call", async () => {
    const world = awsWorld();
    const { snapshot } = await imaged(world);
    await world.emulator.clock.sleep(120_000);
    const { runtime = {} } = world.options();
    const dying: typeof globalThis.fetch = async (input, init) => {
      const body = String(init?.body).replace("&DeleteAssociatedSnapshots=true", "");
      if (body.includes("Action=DeleteSnapshot")) throw new TypeError("fetch failed");
      return await (runtime.fetch ?? globalThis.fetch)(input, { ...init, body });
    };
    await failure(aws(world.options({ runtime: { ...runtime, fetch: dying } })).deleteSnapshot(snapshot.id));
    expect(world.emulator.control.snapshots()).toHaveLength(1);
    await world.another().deleteSnapshot(snapshot.id);
    expect(world.emulator.control.snapshots()).toEqual([]);
  });

  test("makes an instance with its disks, encrypted, in its region", async () => {
    const world = awsWorld({}, { regions: ["us-east-1", "us-west-2"] });
    const { snapshot } = await imaged(world);
    await world.emulator.clock.sleep(120_000);
    const copy = await world.provider.spawn({ ...spec, fromSnapshot: snapshot.id });
    expect(copy).toMatchObject({ imageId: snapshot.imageId, region: "us-east-1" });
    const elsewhere = world.provider.spawn({ ...spec, region: "us-west-2", fromSnapshot: snapshot.id });
    expect(await failure(elsewhere)).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });

  test("that is not available yet cannot be launched", async () => {
    const world = awsWorld();
    const { snapshot } = await imaged(world);
    const error = await failure(world.provider.spawn({ ...spec, fromSnapshot: snapshot.id }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.message).toContain("not available yet");
  });

  test("of a key whose image was deleted just now is a new one, though listings still show the old one", async () => {
    const world = awsWorld({ imageMs: 1_000, readLagMs: 4_000 });
    const { instance, snapshot } = await imaged(world);
    await world.emulator.clock.sleep(60_000);
    await world.provider.deleteSnapshot(snapshot.id);
    const again = await world.provider.createSnapshot(instance.id, { key: "s" });
    expect(again.id).not.toBe(snapshot.id);
    await world.emulator.clock.sleep(60_000);
    expect(await world.provider.getSnapshotStatus(again.id)).toBe("available");
  });

  test("that another process has just begun is waited for as long as reads may lag", async () => {
    const world = awsWorld({ readLagMs: 10_000 }, { readAfterWriteMs: 30_000 });
    const { id } = await world.provider.spawn(spec);
    await world.emulator.clock.sleep(60_000);
    const taken = await Promise.all(["a", "b"].map(() => world.another().createSnapshot(id, { key: "s" })));
    expect(new Set(taken.map((one) => one.id)).size).toBe(1);
  });

  test("is BUSY where the image's name is taken, and it is not shown in the end", async () => {
    const world = awsWorld({ readLagMs: 20_000 });
    const { id } = await world.provider.spawn(spec);
    await world.emulator.clock.sleep(60_000);
    await world.provider.createSnapshot(id, { key: "s" });
    const error = await failure(world.another().createSnapshot(id, { key: "s" }));
    expect(error).toMatchObject({ code: "BUSY", effect: "none" });
  });

  test("is no image that somebody else made: that is not deleted", async () => {
    const world = awsWorld();
    const { instance } = await imaged(world);
    const client = ec2Client(world.emulator, instance.region, CREDENTIALS);
    const asked = new CreateImageCommand({ InstanceId: instance.nativeId, Name: "by-hand" });
    const { ImageId = "" } = await client.send(asked);
    const error = await failure(world.provider.deleteSnapshot(`us-east-1/${ImageId}`));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(world.emulator.control.images().map(({ id }) => id)).toContain(ImageId);
    expect((await world.provider.listSnapshots({ owner: "*" })).map(({ key }) => key)).toEqual(["s"]);
  });
});
