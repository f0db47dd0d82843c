import { nameFor } from "@slipway/core";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import { thrown } from "./thrown.ts";

const pair = (settings?: Parameters<typeof memoryWorld>[0]) => {
  const world = memoryWorld(settings);
  return { world, one: memory({ owner: "ci", world }), other: memory({ owner: "ci", world }) };
};

describe("two processes that share nothing but the world", () => {
  test("get one instance, however many ask at the same time", async () => {
    const { world, one, other } = pair({ readAfterWriteMs: 5_000, creation: "two-step" });
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? one : other).spawn({ key: "k", spec: "m1.medium" })),
    );
    expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
    expect(world.instances().filter(({ live }) => live)).toHaveLength(1);
    expect(world.instances()[0]).toMatchObject({ owner: "ci", key: "k", name: nameFor("ci", "k") });
  });

  test("of those who want different things, one wins and the others are told by whom", async () => {
    const { world, one, other } = pair();
    const asked = await Promise.allSettled([
      one.spawn({ key: "k", spec: "m1.small" }),
      other.spawn({ key: "k", spec: "m1.large" }),
      one.spawn({ key: "k", spec: "m1.small", region: "mem-west-1" }),
    ]);
    const won = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const lost = asked.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
    expect(won).toHaveLength(1);
    expect(lost).toHaveLength(2);
    for (const error of lost) {
      expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: won[0]?.id } });
    }
    expect(world.changes).toBe(1);
  });

  test("a repeat changes nothing, also of an instance that is stopped, broken or hibernated", async () => {
    const { world, one, other } = pair();
    const { id, nativeId } = await one.spawn({ key: "k", hibernation: true });
    await world.clock.sleep(20_000);
    await one.hibernate(id);
    for (const fault of [
      () => undefined,
      world.stop,
      world.fail,
      (native: string) => world.setState(native, "frozen"),
    ]) {
      fault(nativeId);
      const before = world.changes;
      expect((await other.spawn({ key: "k", hibernation: true })).id).toBe(id);
      expect(world.changes).toBe(before);
    }
  });

  test("from its end on the key makes a new generation, once", async () => {
    const { world, one, other } = pair({ forgetMs: 60_000 });
    const first = await one.spawn({ key: "k" });
    await one.terminate(first.id);
    expect(await one.get(first.id)).toMatchObject({ status: "terminating" });
    const again = await Promise.all([one.spawn({ key: "k" }), other.spawn({ key: "k" })]);
    expect(again.map(({ generation }) => generation)).toEqual([2, 2]);
    expect(again[0]?.id).toBe(again[1]?.id);
    expect(again[0]?.id).not.toBe(first.id);
    // Forgotten by the remote, and still counted.
    await one.terminate(again[0]?.id ?? "");
    await world.clock.sleep(120_000);
    expect(await one.get(first.id)).toBeNull();
    expect((await one.spawn({ key: "k", spec: "m1.large" })).generation).toBe(3);
  });

  test("secrets that rotate are no other spec; the script and everything else is", async () => {
    const { one, other } = pair();
    const asked = (registrationToken: string, authKey: string, script = "true") => ({
      key: "k",
      bootstrap: { script, registrationToken },
      tailscale: { authKey, tags: ["tag:ci"] },
    });
    const { id } = await one.spawn(asked("token-1", "tskey-1"));
    expect((await other.spawn(asked("token-2", "tskey-2"))).id).toBe(id);
    const rendered = one.generateBootstrap({ script: "true", registrationToken: "token-3" });
    expect((await other.spawn({ ...asked("", "tskey-3"), bootstrap: rendered })).id).toBe(id);
    expect((await thrown(other.spawn(asked("token-2", "tskey-2", "false")))).code).toBe("CONFLICT");
    const untagged = { ...asked("t", "k"), tailscale: { authKey: "tskey-1" } };
    expect((await thrown(other.spawn(untagged))).code).toBe("CONFLICT");
  });

  test("keys of different owners have nothing to do with each other", async () => {
    const { world, one } = pair();
    const neighbour = memory({ owner: "neighbour", world });
    const [mine, theirs] = await Promise.all([
      one.spawn({ key: "k" }),
      neighbour.spawn({ key: "k", spec: "m1.large" }),
    ]);
    expect(mine.id).not.toBe(theirs.id);
    expect((await one.list()).map(({ id }) => id)).toEqual([mine.id]);
    expect((await one.list({ owner: "neighbour" })).map(({ id }) => id)).toEqual([theirs.id]);
    expect(await one.list({ owner: "*" })).toHaveLength(2);
  });
});

describe("half a machine that a killed client left", () => {
  test("is listed, and completed by the next who asks", async () => {
    const { world, one, other } = pair({ creation: "two-step" });
    const killed = new AbortController();
    world.faults.add({ operation: "machines.start", when: "before", code: "NETWORK" });
    const error = await thrown(one.spawn({ key: "k", bootstrap: { script: "exit 4" }, signal: killed.signal }));
    expect(error).toMatchObject({ code: "NETWORK", effect: "applied" });
    expect(world.instances()).toMatchObject([{ state: "draft", live: true, key: "k" }]);
    expect(await other.list({ keys: ["k"] })).toMatchObject([{ status: "pending" }]);
    const { id } = await other.spawn({ key: "k", bootstrap: { script: "exit 4" } });
    await world.clock.sleep(60_000);
    expect(await one.get(id)).toMatchObject({ status: "error", bootstrap: { state: "failed", exitCode: 4 } });
    expect(world.instances()).toHaveLength(1);
  });

  test("or is terminated as any other", async () => {
    const { world, one } = pair({ creation: "two-step" });
    world.faults.add({ operation: "machines.start", when: "before", code: "UNAVAILABLE" });
    await thrown(one.spawn({ key: "k" }));
    const [half] = await one.list();
    await one.terminate(half?.id ?? "");
    await world.clock.sleep(5_000);
    expect(world.instances().filter(({ live }) => live)).toEqual([]);
  });

  test("an abort between the two requests says that something was done", async () => {
    const { world, one } = pair({ creation: "two-step", latencyMs: 10 });
    const error = await thrown(one.spawn({ key: "k", timeoutMs: 25 }));
    expect(error).toMatchObject({ code: "TIMEOUT", effect: "applied" });
    expect(world.instances()).toMatchObject([{ state: "draft" }]);
  });
});

describe("a thing with our name and without our tag", () => {
  test("is in the way: neither adopted, nor listed, nor deleted", async () => {
    const { world, one } = pair();
    const unmanaged = world.addUnmanaged(nameFor("ci", "k"));
    const error = await thrown(one.spawn({ key: "k" }));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: `mem-east-1/${unmanaged}` } });
    expect(await one.list({ owner: "*" })).toEqual([]);
    expect(await thrown(one.terminate(unmanaged))).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(world.hasUnmanaged(unmanaged)).toBe(true);
    expect(await one.get(unmanaged)).toMatchObject({ owner: null, key: null });
  });
});
