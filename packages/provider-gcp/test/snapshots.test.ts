import { describe, expect, test } from "vitest";
import { runtimeOf } from "./gcp-harness.ts";
import { failure, gcpWorld } from "./world.ts";

const TAKING_MS = 60_000;

describe("a snapshot", () => {
  test("is a machine image that says of what it is, and its copy bears its own tags", async () => {
    const { provider, sent, emulator } = gcpWorld();
    const made = await provider.spawn({ key: "job", bootstrap: { script: "exit 0" } });
    const snapshot = await provider.createSnapshot(made.id, { key: "before" });
    expect(snapshot).toMatchObject({ status: "pending", key: "before", owner: "tests", instanceId: made.id });
    expect(await failure(provider.spawn({ fromSnapshot: snapshot.id }))).toMatchObject({
      code: "BUSY",
      effect: "none",
    });
    await emulator.clock.sleep(TAKING_MS);
    const copy = await provider.spawn({ key: "copy", fromSnapshot: snapshot.id });
    expect(copy).toMatchObject({ key: "copy", image: snapshot.id });
    const insert = sent.findLast(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(insert?.query.get("sourceMachineImage")).toMatch(/^projects\/slipway-tests\/global\/machineImages\/slip-/);
    expect(insert?.body).not.toHaveProperty("disks");
    expect(JSON.stringify(insert?.body["metadata"])).not.toContain("user-data");
  });

  test("of two processes at once is one; another instance under the key has its own", async () => {
    const { provider, another } = gcpWorld();
    const [a, b] = [await provider.spawn({ key: "a" }), await provider.spawn({ key: "b" })];
    const [first, second] = await Promise.all([
      provider.createSnapshot(a.id, { key: "nightly" }),
      another().createSnapshot(a.id, { key: "nightly" }),
    ]);
    expect(first.id).toBe(second.id);
    expect((await provider.createSnapshot(b.id, { key: "nightly" })).id).not.toBe(first.id);
    expect(await provider.listSnapshots()).toHaveLength(2);
  });

  test("is not taken of an instance with volumes, and never deleted by a name that is a younger one's", async () => {
    const { provider, emulator } = gcpWorld();
    const volume = await provider.createVolume({ key: "data", sizeBytes: 10 * 1024 ** 3 });
    const with1 = await provider.spawn({ volumes: [{ id: volume.id, mountPath: "/data" }] });
    expect(await failure(provider.createSnapshot(with1.id, { key: "x" }))).toMatchObject({
      code: "INVALID_STATE",
      effect: "none",
    });
    const made = await provider.spawn({ key: "job" });
    const first = await provider.createSnapshot(made.id, { key: "x" });
    await provider.deleteSnapshot(first.id);
    await emulator.clock.sleep(TAKING_MS);
    const second = await provider.createSnapshot(made.id, { key: "x" });
    expect(second.id).not.toBe(first.id);
    await provider.deleteSnapshot(first.id);
    expect((await provider.listSnapshots()).map(({ id }) => id)).toEqual([second.id]);
    for (const other of [{ image: "debian-cloud/debian-12" }, { resources: { diskBytes: 20 * 1024 ** 3 } }]) {
      expect(await failure(provider.spawn({ fromSnapshot: second.id, ...other }))).toMatchObject({
        code: "INVALID_SPEC",
      });
    }
  });

  test("whose name is still being deleted is BUSY, with nothing made; and then made anew", async () => {
    const { provider, emulator, sent } = gcpWorld();
    const made = await provider.spawn({ key: "job" });
    const first = await provider.createSnapshot(made.id, { key: "x" });
    await emulator.clock.sleep(TAKING_MS);
    await provider.deleteSnapshot(first.id);
    const inserts = () =>
      sent.filter(({ method, path }) => method === "POST" && path === "global/machineImages").length;
    expect(await failure(provider.createSnapshot(made.id, { key: "x" }))).toMatchObject({
      code: "BUSY",
      effect: "none",
      retryable: true,
    });
    expect(inserts()).toBe(1);
    await emulator.clock.sleep(TAKING_MS);
    expect((await provider.createSnapshot(made.id, { key: "x" })).id).not.toBe(first.id);
    expect(inserts()).toBe(2);
  });

  test("is there, also while the server that is asked has not heard of its operation", async () => {
    const { provider, emulator, another } = gcpWorld();
    const made = await provider.spawn({ key: "job" });
    let asked = 0;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { pathname } = new URL(String(input));
      if (!pathname.includes("/global/operations/")) return await emulator.fetch(input, init);
      asked += 1;
      return await emulator.fetch(`${String(input)}-of-another-server`, init);
    };
    const other = another({ runtime: { ...runtimeOf(emulator), fetch } });
    const snapshot = await other.createSnapshot(made.id, { key: "x" });
    expect(asked).toBeGreaterThan(0);
    expect(snapshot).toMatchObject({ status: "pending", key: "x", instanceId: made.id });
    expect((await provider.listSnapshots()).map(({ id }) => id)).toEqual([snapshot.id]);
  });

  test("whose number nobody tells is an error, and has no id that is made up", async () => {
    const { provider, emulator, another } = gcpWorld();
    const made = await provider.spawn({ key: "job" });
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const isInsert = init?.method === "POST" && String(input).includes("/global/machineImages");
      const isRead = init?.method !== "POST" && String(input).includes("/global/machineImages/");
      const answer = await emulator.fetch(isRead ? String(input).replace(/[^/?]+($|\?)/, "not-yet$1") : input, init);
      if (!isInsert) return answer;
      const { targetId: _targetId, ...operation } = (await answer.json()) as Record<string, unknown>;
      return Response.json(operation);
    };
    const other = another({ runtime: { ...runtimeOf(emulator), fetch } });
    expect(await failure(other.createSnapshot(made.id, { key: "x" }))).toMatchObject({
      code: "INTERNAL",
      effect: "applied",
    });
    // The next call finds it.
    const [listed] = await provider.listSnapshots();
    expect((await provider.createSnapshot(made.id, { key: "x" })).id).toBe(listed?.id);
  });

  test("is listed by either id of its instance, and by no other", async () => {
    const { provider } = gcpWorld();
    const [a, b] = [await provider.spawn({ key: "a" }), await provider.spawn({ key: "b" })];
    const ofA = await provider.createSnapshot(a.id, { key: "x" });
    await provider.createSnapshot(b.id, { key: "x" });
    expect(a.nativeId).not.toBe(a.id);
    for (const instanceId of [a.id, a.nativeId]) {
      expect((await provider.listSnapshots({ instanceId })).map(({ id }) => id)).toEqual([ofA.id]);
    }
    expect(await provider.listSnapshots({ instanceId: "1" })).toEqual([]);
  });
});
