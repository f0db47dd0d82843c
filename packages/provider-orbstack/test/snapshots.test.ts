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
});

describe("a restored instance", () => {
  test("has the resources and the bootstrap that are asked for, and not those of its source", async () => {
    const bootstrap = { script: "echo first >>/var/lib/slipway/runs" };
    const a = await world.provider.spawn({ key: "a", bootstrap });
    await expect.poll(async () => (await world.provider.get(a.id))?.bootstrap?.state).toBe("succeeded");
    const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
    const again = { script: "echo second >>/var/lib/slipway/runs" };
    const resources = { cpus: 3, memoryBytes: 1024 ** 3, diskBytes: 8 * 1024 ** 3 };
    const b = await world.provider.spawn({ key: "b", fromSnapshot, resources, bootstrap: again });
    expect(b.resources).toEqual(resources);
    await expect.poll(async () => (await world.provider.get(b.id))?.bootstrap?.state).toBe("succeeded");
    const runs = await world.provider.exec(b.id, ["cat", "/var/lib/slipway/runs"]);
    expect(runs.stdout).toBe("first\nsecond\n");
    const limits = await Promise.all(
      ["cpu", "memory_mib", "disk_bytes"].map((leaf) =>
        world.orbctl(["config", "get", `machine.${nameFor(OWNER, "b")}.${leaf}`]),
      ),
    );
    expect(limits.map(({ stdout }) => Number(stdout))).toEqual([3, 1024, 8 * 1024 ** 3]);
  });

  test.each(["config", "start", "run"])(
    "whose maker was cut off before `%s` is finished by the next",
    async (command) => {
      const a = await world.provider.spawn({ key: "a" });
      await write(a.id, "kept");
      const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
      const stop = new AbortController();
      const cut = world.another({
        runtime: {
          exec: (file, args, options) => {
            // The copy is there; nothing more is done.
            if (args[0] === command && world.sent.some((each) => each.args[0] === "clone"))
              stop.abort(new Error("cut"));
            return world.exec(file, args, { ...options, signal: stop.signal });
          },
        },
      });
      const error = await failure(cut.spawn({ key: "b", fromSnapshot, signal: stop.signal }));
      expect(error).toMatchObject({ code: "CANCELLED", effect: "applied" });
      const next = await world
        .another()
        .spawn({ key: "b", fromSnapshot })
        .catch((caught: unknown) => caught);
      // Before it has its user, nobody can tell which snapshot the copy is of.
      if (command === "config") {
        expect(next).toMatchObject({ code: "CONFLICT", effect: "none" });
        const [half] = await world.provider.list({ keys: ["b"] });
        await world.provider.terminate(half?.id ?? "");
      }
      const made = await world.another().spawn({ key: "b", fromSnapshot });
      expect(made).toMatchObject({ key: "b", status: "running" });
      expect(await read(made.id)).toBe("kept");
    },
  );

  test("is one for two processes that ask at the same time", async () => {
    const a = await world.provider.spawn({ key: "a" });
    const { id: fromSnapshot } = await world.provider.createSnapshot(a.id, { key: "s" });
    const both = await Promise.all([
      world.provider.spawn({ key: "b", fromSnapshot }),
      world.another().spawn({ key: "b", fromSnapshot }),
    ]);
    expect(both[0].id).toBe(both[1].id);
    expect(await world.control.machines()).toHaveLength(2);
  });
});
