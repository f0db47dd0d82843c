import { describe, expect, test } from "vitest";
import { failure, gcpWorld } from "./world.ts";

const removals = ({ sent }: ReturnType<typeof gcpWorld>) => sent.filter(({ method }) => method === "DELETE");

describe("terminate", () => {
  test("names the number, and is sent once", async () => {
    const world = gcpWorld();
    const { id, nativeId, zone } = await world.provider.spawn({ key: "job" });
    await world.provider.terminate(id);
    await world.provider.terminate(id);
    expect(removals(world).map(({ path }) => path)).toEqual([`zones/${zone}/instances/${nativeId}`]);
  });

  test("that meets another one is accepted once that one's operation is seen", async () => {
    const world = gcpWorld();
    const { id } = await world.provider.spawn({ key: "job" });
    await Promise.all([world.provider.terminate(id), world.another().terminate(id), world.another().terminate(id)]);
    expect(["terminating", undefined]).toContain((await world.provider.get(id))?.status);
    await world.emulator.clock.sleep(60_000);
    expect(await world.provider.get(id)).toBeNull();
  });

  test.each(["rate-limit", "too-many-requests"])(
    "that meets the rate (%s) and no other deletion waits for it",
    async (row) => {
      const world = gcpWorld();
      const { id } = await world.provider.spawn({ key: "job" });
      world.emulator.control.faults.add({ operation: "terminate", when: "before", row, times: 2 });
      await world.provider.terminate(id);
      expect(new Set(removals(world).map(({ query }) => query.get("requestId"))).size).toBe(1);
      expect(await world.provider.get(id)).toMatchObject({ status: "terminating" });
    },
  );

  test("that meets the rate again and again says so, and nothing was done", async () => {
    const world = gcpWorld();
    const { id } = await world.provider.spawn({ key: "job" });
    world.emulator.control.faults.add({ operation: "terminate", when: "before", row: "rate-limit", times: 4 });
    expect(await failure(world.provider.terminate(id))).toMatchObject({ code: "RATE_LIMIT_ERROR", effect: "none" });
    expect(await world.provider.get(id)).toMatchObject({ status: "running" });
  });

  test("does not believe a 404 of an instance that it has just read, and never names what may be another's", async () => {
    const world = gcpWorld();
    const { id, nativeId, zone } = await world.provider.spawn({ key: "job" });
    // Older than a listing may lag.
    await world.emulator.clock.sleep(60_000);
    world.emulator.control.faults.add({ operation: "terminate", when: "before", row: "not-found" });
    expect(await failure(world.provider.terminate(id))).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
    await world.provider.terminate(id);
    const path = `zones/${zone}/instances/${nativeId}`;
    expect(removals(world).map((sent) => sent.path)).toEqual([path, path]);
    await world.emulator.clock.sleep(60_000);
    expect(await world.provider.get(id)).toBeNull();
  });

  test("takes a bare number, also one that no list shows", async () => {
    const world = gcpWorld({ listLagMs: 4_000 });
    const { nativeId } = await world.provider.spawn({ key: "job" });
    await world.another().terminate(nativeId);
    expect(world.emulator.control.instances()[0]?.status).toBe("STOPPING");
  });

  test("of many at once ends those of every zone that works, also while another one is out of order", async () => {
    const { provider, emulator } = gcpWorld();
    const zones = [...Array.from({ length: 4 }, () => "us-central1-a"), "europe-west1-d"];
    const made = await Promise.all(zones.map((zone, i) => provider.spawn({ key: `job-${i}`, zone })));
    emulator.control.setReachable("europe-west1-d", false);
    const outcomes = await Promise.allSettled(made.map(({ id }) => provider.terminate(id)));
    expect(outcomes.slice(0, 4).map(({ status }) => status)).toEqual(Array(4).fill("fulfilled"));
  });

  test("never ends a younger instance of the same name", async () => {
    const { provider, emulator } = gcpWorld();
    const first = await provider.spawn({ key: "job" });
    await provider.terminate(first.id);
    const second = await provider.spawn({ key: "job" });
    await emulator.clock.sleep(60_000);
    await provider.terminate(first.id);
    expect(await provider.get(second.id)).toMatchObject({ status: "running" });
  });
});

describe("a name that is not free yet", () => {
  test("is waited for while the deletion runs, also where the instance is a 404 already", async () => {
    const world = gcpWorld({ goneBeforeDoneMs: 6_000, listLagMs: 0 });
    const first = await world.provider.spawn({ key: "job" });
    await world.provider.terminate(first.id);
    await world.emulator.clock.sleep(7_000);
    const second = await world.another().spawn({ key: "job" });
    expect(second).toMatchObject({ status: "running" });
    expect(second.nativeId).not.toBe(first.nativeId);
  });

  test("is BUSY with nothing done where it takes too long", async () => {
    const world = gcpWorld();
    const { id, nativeId } = await world.provider.spawn({ key: "job" });
    await world.provider.terminate(id);
    await world.emulator.clock.sleep(20_000);
    // Stuck in its shutdown, with no operation that would end.
    const { zone } = await world.provider.spawn({ key: "job" });
    const [, younger] = world.emulator.control.instances();
    world.emulator.control.setStatus(younger?.nativeId ?? "", "DEPROVISIONING");
    const error = await failure(world.another().spawn({ key: "job" }));
    expect(error).toMatchObject({ code: "BUSY", effect: "none" });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect([zone, nativeId]).toBeDefined();
  });
});
