import { execFileSync } from "node:child_process";
import type { Instance, Provider } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { allEntries, type IdleOptions, launch, memoryStore, type ReapOptions, reap } from "../src/index.ts";
import { lookInside, readLook } from "../src/reap/idle-look.ts";
import { living, newWorld, plainProvider } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const MINUTE = 60_000;
const FOR_MS = 30 * MINUTE;

/** What the inside of a machine is like; a test changes it between two looks. */
interface Inside {
  boot: string;
  busyS: number;
  gpus: readonly string[];
  /** Added to the uptime that it shows. */
  liesS: number;
  text: string | null;
  fails: Error | null;
}

async function scene({ instance = {} }: { readonly instance?: Partial<Instance> } = {}) {
  const store = memoryStore();
  const clock = simulatedClock();
  const world = newWorld(clock);
  const scripted = plainProvider(world, "tests");
  const change = (one: Instance | null): Instance | null => (one === null ? null : { ...one, ...instance });
  const provider: Provider = {
    ...scripted,
    get: async (id, call) => change(await scripted.get(id, call)),
    list: async (filter, call) => (await scripted.list(filter, call)).map((one) => ({ ...one, ...instance })),
  };
  const { id } = await launch(provider, { key: "k" }, { store, clock });
  clock.advance(world.lagMs + MINUTE);
  const inside: Inside = { boot: "b-1", busyS: 100, gpus: [], liesS: 0, text: null, fails: null };
  let opened = 0;
  let closed = 0;
  const openSession: IdleOptions["openSession"] = async () => {
    if (inside.fails !== null) throw inside.fails;
    opened += 1;
    return {
      exec: async () => {
        const { boot, busyS, gpus, liesS, text } = inside;
        const lines = [`boot ${boot}`, `uptime ${(clock.now() / 1000 + liesS).toFixed(2)}`, `container ${busyS * 1e6}`];
        const stdout = text ?? [...lines, ...gpus.map((percent) => `gpu ${percent}`), "end", ""].join("\n");
        return { exitCode: 0, stdout };
      },
      [Symbol.asyncDispose]: async () => {
        closed += 1;
      },
    };
  };
  const look = async (more: Partial<IdleOptions> = {}, options: ReapOptions = {}) => {
    const report = await reap([provider], { clock, store, idle: { forMs: FOR_MS, openSession, ...more }, ...options });
    return { report, outcomes: report.providers.flatMap(({ idle }) => idle.map(({ outcome }) => outcome)) };
  };
  /** Looks every ten minutes; the outcome of each. */
  const every = async (count: number, before: () => void = () => undefined): Promise<readonly string[]> => {
    const outcomes: string[] = [];
    for (let round = 0; round < count; round += 1) {
      before();
      outcomes.push(...(await look()).outcomes);
      clock.advance(10 * MINUTE);
    }
    return outcomes;
  };
  return { clock, world, provider, store, id, inside, look, every, count: () => ({ opened, closed }) };
}

describe("reap with idle", () => {
  test("terminates what has been idle for that long, and forgets it", async () => {
    const { every, world, store, count } = await scene();
    expect(await every(5)).toEqual(["watching", "watching", "watching", "terminated"]);
    expect(living(world)).toEqual([]);
    expect((await allEntries(store)).filter(({ record }) => record.kind === "idle")).toEqual([]);
    expect(count()).toEqual({ opened: 4, closed: 4 });
  });

  test("with a limit that is no number, nothing is idle", async () => {
    const { look, clock, world } = await scene();
    for (let round = 0; round < 5; round += 1) {
      await look({ maxBusyCpus: Number.NaN });
      clock.advance(10 * MINUTE);
    }
    expect(living(world)).toHaveLength(1);
  });

  test("without it nothing is looked into", async () => {
    const { world, clock, provider, store, count } = await scene();
    clock.advance(24 * 60 * MINUTE);
    const report = await reap([provider], { clock, store });
    expect(report.providers[0]?.idle).toEqual([]);
    expect(count().opened).toBe(0);
    expect(living(world)).toHaveLength(1);
  });

  test("work between two looks counts, though both see it at rest", async () => {
    const { every, inside, world } = await scene();
    let round = 0;
    const outcomes = await every(6, () => {
      round += 1;
      // Ten minutes of a quarter of a processor.
      if (round === 3) inside.busyS += 150;
    });
    expect(outcomes).toEqual(["watching", "watching", "busy", "watching", "watching", "terminated"]);
    expect(living(world)).toEqual([]);
  });

  test.each([
    ["a GPU that computes at each look", (inside: Inside) => void (inside.gpus = ["0", "80"])],
    ["a processor that is never quite at rest", (inside: Inside) => void (inside.busyS += 90)],
    ["a machine that booted again before each look", (inside: Inside) => void (inside.boot += "1")],
    ["a counter that runs backwards", (inside: Inside) => void (inside.busyS -= 1)],
    ["a machine whose own time stands still", (inside: Inside) => void (inside.liesS -= 600)],
  ])("keeps %s", async (_, before) => {
    const { every, inside, world } = await scene();
    await every(8, () => before(inside));
    expect(living(world)).toHaveLength(1);
  });

  test("a machine that claims to have rested for years ends no sooner", async () => {
    const { every, inside } = await scene();
    expect(await every(3, () => void (inside.liesS += 1e8))).toEqual(["watching", "watching", "watching"]);
  });

  test.each([
    ["nothing", ""],
    ["the beginning of it", "boot b\nuptime 5"],
    ["no boot", "uptime 5.00\ncontainer 100\nend"],
    ["two counters", "boot b\nuptime 5\ncontainer 100\nmachine 1 1 1 1 1 100\nend"],
    ["a hertz of zero", "boot b\nuptime 5\nmachine 1 1 1 1 1 0\nend"],
    ["words for numbers", "boot b\nuptime Infinity\ncontainer 1e9\nend"],
    ["a GPU without a number", "boot b\nuptime 5\ncontainer 100\ngpu [N/A]\nend"],
    ["GPUs that nothing can read", "boot b\nuptime 5\ncontainer 100\ngpu unreadable\nend"],
  ])("keeps an instance that prints %s, says so, and is not complete", async (_, text) => {
    const { every, inside, look, world } = await scene();
    inside.text = text;
    expect(new Set(await every(6))).toEqual(new Set(["unknown"]));
    expect((await look()).report.complete).toBe(false);
    expect(living(world)).toHaveLength(1);
  });

  test("keeps one whose remote says that it has GPUs, where its session shows none", async () => {
    const resources = { gpus: { count: 1, type: "a10" } };
    const { every, world } = await scene({ instance: { resources } });
    expect(new Set(await every(6))).toEqual(new Set(["unknown"]));
    expect(living(world)).toHaveLength(1);
  });

  test("a look that shows nothing breaks the streak; one that cannot connect is a failure, and ends nothing", async () => {
    const { every, inside, look, world, clock } = await scene();
    await every(3);
    inside.fails = new Error("no route");
    const failed = await look();
    expect(failed.outcomes).toEqual(["failed"]);
    expect(failed.report.complete).toBe(false);
    inside.fails = null;
    inside.text = "end";
    await look();
    inside.text = null;
    clock.advance(10 * MINUTE);
    expect((await look()).outcomes).toEqual(["watching"]);
    expect(living(world)).toHaveLength(1);
  });

  test("of a GPU a long time without a look says nothing", async () => {
    const { look, inside, clock, world } = await scene();
    inside.gpus = ["0"];
    await look();
    clock.advance(3 * FOR_MS);
    expect((await look()).outcomes).toEqual(["busy"]);
    expect(living(world)).toHaveLength(1);
  });

  test("a dry run terminates nothing, and another owner's, or one that was picked out, is not looked into", async () => {
    const { clock, look, world } = await scene();
    await look();
    clock.advance(FOR_MS);
    expect((await look({}, { dryRun: true })).outcomes).toEqual(["idle"]);
    expect((await look({ only: () => false })).outcomes).toEqual([]);
    expect(living(world)).toHaveLength(1);
    const other = await scene({ instance: { owner: "others" } });
    expect((await other.look()).outcomes).toEqual([]);
  });

  test("is left alone while another process works with its key, and looked into by one at a time", async () => {
    const { clock, look, store, world } = await scene();
    await look();
    clock.advance(FOR_MS);
    const lease = await store.acquire("launch:memory::tests:k");
    const name = world === undefined ? "" : (await look({}, { dryRun: true })).report.providers[0]?.provider;
    if (lease !== null) await store.release(lease);
    const held = await store.acquire(`launch:${name}::tests:k`);
    expect(held).not.toBeNull();
    expect((await look()).outcomes).toEqual(["skipped"]);
    if (held !== null) await store.release(held);
    const both = await Promise.all([look(), look()]);
    expect(both.flatMap(({ outcomes }) => outcomes).toSorted()).toEqual(["skipped", "terminated"]);
  });

  test("needs a store and a time", async () => {
    const { provider, look } = await scene();
    const openSession: IdleOptions["openSession"] = async () => {
      throw new Error("never");
    };
    const refused = { code: "INVALID_SPEC", effect: "none" };
    await expect(reap([provider], { idle: { forMs: 1, openSession } })).rejects.toMatchObject(refused);
    await expect(look({ forMs: 0 })).rejects.toMatchObject(refused);
    await expect(look({ forMs: Number.NaN })).rejects.toMatchObject(refused);
  });

  test("what was remembered of an instance that is gone is forgotten", async () => {
    const { look, provider, id, store, clock, world } = await scene();
    await look();
    await provider.terminate(id);
    clock.advance(world.lagMs + 10 * MINUTE);
    await look();
    expect((await allEntries(store)).filter(({ record }) => record.kind === "idle")).toEqual([]);
  });

  test("the script shows what this machine shows", async () => {
    const session = {
      exec: async ([program = "", ...args]: readonly string[]) => ({
        exitCode: 0,
        stdout: execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
      }),
      [Symbol.asyncDispose]: async () => undefined,
    };
    const seen = await lookInside(session, {}, false);
    if (typeof seen === "string") return expect(seen).toContain("GPU");
    expect(seen.uptimeS).toBeGreaterThan(0);
    expect(seen.busyS).toBeGreaterThan(0);
    expect(readLook("boot b\nuptime 5.5\nmachine 100 0 50 0 50 100\nend\n", false)).toEqual({
      boot: "b",
      uptimeS: 5.5,
      counter: "machine",
      busyS: 2,
      gpus: [],
    });
  });
});
