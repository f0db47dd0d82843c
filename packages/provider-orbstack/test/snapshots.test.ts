import { nameFor } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failure } from "./failure.ts";
import { OWNER, orbstackWorld, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = orbstackWorld();
});
afterEach(() => world.close());

const write = (id: string, text: string) =>
  world.provider.exec(id, ["sh", "-c", 'mkdir -p /var/lib/slipway; echo "$1" >/var/lib/slipway/data', "sh", text]);
const read = async (id: string) => (await world.provider.exec(id, ["cat", "/var/lib/slipway/data"])).stdout.trim();

describe("a snapshot", () => {
  test("is a copy that stays stopped, is no instance, and outlives its source", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await write(id, "then");
    const snapshot = await world.provider.createSnapshot(id, { key: "s", name: "before" });
    expect(snapshot).toMatchObject({ key: "s", owner: OWNER, instanceId: id, name: "before", status: "available" });
    await write(id, "later");
    for (const provider of [world.provider, world.another()]) {
      expect((await provider.list({ owner: "*" })).map((instance) => instance.id)).toEqual([id]);
      expect(await provider.get(snapshot.id)).toBeNull();
      expect(await provider.listSnapshots()).toEqual([snapshot]);
    }
    await world.provider.terminate(id);
    expect(await world.provider.getSnapshotStatus(snapshot.id)).toBe("available");
    const restored = await world.provider.spawn({ key: "b", fromSnapshot: snapshot.id });
    expect(restored).toMatchObject({ status: "running", key: "b" });
    expect(await read(restored.id)).toBe("then");
    expect(await world.provider.getSnapshotStatus(snapshot.id)).toBe("available");
  });

  test("can be taken of a stopped instance, which stays stopped", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.stop(id);
    expect(await world.provider.createSnapshot(id, { key: "s" })).toMatchObject({ key: "s", instanceId: id });
    expect(await world.another().listSnapshots({ instanceId: id })).toMatchObject([{ key: "s" }]);
    expect((await world.provider.get(id))?.status).toBe("stopped");
  });

  test("of another instance under the same key is CONFLICT", async () => {
    const [a, b] = [await world.provider.spawn({ key: "a" }), await world.provider.spawn({ key: "b" })];
    await world.provider.createSnapshot(a.id, { key: "s" });
    expect((await failure(world.another().createSnapshot(b.id, { key: "s" }))).code).toBe("CONFLICT");
  });

  test("that somebody has started is failed, and cannot be restored", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const snapshot = await world.provider.createSnapshot(id, { key: "s" });
    await world.orbctl(["start", snapshot.machineName]);
    expect(await world.provider.getSnapshotStatus(snapshot.id)).toBe("failed");
    const error = await failure(world.provider.spawn({ key: "b", fromSnapshot: snapshot.id }));
    expect(error).toMatchObject({ code: "INVALID_STATE", effect: "none" });
    await world.provider.deleteSnapshot(snapshot.id);
    expect(await world.provider.listSnapshots()).toEqual([]);
  });

  test("without an answer is looked up by its name", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    world.control.faults.add({ operation: "clone", when: "reply-lost" });
    const snapshot = await world.provider.createSnapshot(id, { key: "s" });
    expect(await world.control.snapshots()).toEqual([snapshot.machineName]);
  });

  test("an instance cannot be deleted as a snapshot, nor a snapshot ended as an instance", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const snapshot = await world.provider.createSnapshot(id, { key: "s" });
    expect((await failure(world.provider.deleteSnapshot(id))).code).toBe("CONFLICT");
    expect((await failure(world.provider.terminate(snapshot.id))).code).toBe("CONFLICT");
    expect((await failure(world.provider.spawn({ key: "b", fromSnapshot: id }))).code).toBe("NOT_FOUND");
  });

  test("that is just being deleted is waited for, and made anew", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const first = await world.provider.createSnapshot(id, { key: "s" });
    await world.control.setLatencies({ delete: 5_000 });
    const deleting = world.another().deleteSnapshot(first.id);
    await world.clock.sleep(2_000);
    const second = await world.provider.createSnapshot(id, { key: "s" });
    expect(second).toMatchObject({ key: "s", owner: OWNER, instanceId: id, status: "available" });
    await deleting;
    expect(await world.provider.listSnapshots()).toEqual([second]);
  });

  test("is one for two processes that ask at the same time", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    const both = await Promise.all([
      world.provider.createSnapshot(id, { key: "s" }),
      world.another().createSnapshot(id, { key: "s" }),
    ]);
    expect(both[0]).toEqual(both[1]);
    expect(await world.control.snapshots()).toHaveLength(1);
  });

  test("of another instance, made at the same time, is CONFLICT", async () => {
    const [a, b] = [await world.provider.spawn({ key: "a" }), await world.provider.spawn({ key: "b" })];
    const making = world.meanwhile("clone", () => world.another().createSnapshot(b.id, { key: "s" }));
    expect(await failure(making.createSnapshot(a.id, { key: "s" }))).toMatchObject({
      code: "CONFLICT",
      effect: "none",
    });
  });

  test("of which the instance cannot be read is not taken for another's", async () => {
    const [a, b] = [await world.provider.spawn({ key: "a" }), await world.provider.spawn({ key: "b" })];
    const { machineName } = await world.provider.createSnapshot(a.id, { key: "s" });
    await world.control.addFaults({ command: `pull -m ${machineName}`, does: "fail", stderr: "cp: what is that\n" });
    const error = await failure(world.another().createSnapshot(b.id, { key: "s" }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "none" });
    expect((await failure(world.another().createSnapshot(b.id, { key: "s" }))).code).toBe("CONFLICT");
  });

  test("whose name somebody's machine has is CONFLICT", async () => {
    const { id } = await world.provider.spawn({ key: "a" });
    await world.control.addUnmanaged(nameFor(OWNER, "s").replace("slip-", "snap-"));
    expect((await failure(world.provider.createSnapshot(id, { key: "s" }))).code).toBe("CONFLICT");
    expect(await world.provider.listSnapshots()).toEqual([]);
  });
});
