import type { Instance, Provider } from "@slipway/core";
import { ProviderError } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { allEntries, launch, memoryStore, type ReapOptions, reap, remoteClock } from "../src/index.ts";
import { living, newWorld, plainProvider, type World } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

const MINUTE = 60_000;

interface Cloud {
  readonly world: World;
  readonly provider: Provider;
  readonly spawn: (key: string, expiresInMs: number | null) => Promise<Instance>;
}

/** One remote for one owner. `dateAheadMs`: what its `Date` header says, beside the true time; null: it has none. */
function cloud(
  name: string,
  clock: SimulatedClock,
  {
    owner = "tests",
    dateAheadMs = null as number | null,
    onRemoteDate = remoteClock().onRemoteDate,
    localAheadMs = 0,
    world = newWorld(clock),
    onList = async (): Promise<void> => undefined,
  } = {},
): Cloud {
  const scripted: Provider = plainProvider(world, owner);
  const provider: Provider = {
    ...scripted,
    name,
    list: async (filter, call) => {
      await onList();
      const listed = await scripted.list(filter, call);
      const local = clock.now() + localAheadMs;
      if (dateAheadMs !== null) {
        const date = Math.floor((clock.now() + dateAheadMs) / 1000) * 1000;
        onRemoteDate({ provider: name, date, sentAt: local - 5, receivedAt: local });
      }
      return listed;
    },
  };
  const spawn = async (key: string, expiresInMs: number | null): Promise<Instance> => {
    const expiresAt = new Date(clock.now() + (expiresInMs ?? 0)).toISOString();
    const made = await scripted.spawn({ key, ...(expiresInMs === null ? {} : { expiresAt }) });
    clock.advance(world.lagMs);
    return made;
  };
  return { world, provider, spawn };
}

const keysOf = ({ world }: Cloud): (string | null)[] => living(world).map(({ key }) => key);
const outcomes = (report: Awaited<ReturnType<typeof reap>>): string[] =>
  report.providers.flatMap(({ provider, instances }) =>
    instances.map(({ key, outcome }) => `${provider} ${key} ${outcome}`),
  );
/** A clock that is wrong by so much. */
const shifted = (clock: SimulatedClock, ms: number): SimulatedClock => ({ ...clock, now: () => clock.now() + ms });

describe("reap", () => {
  test("terminates what has been expired for the margin, confirms it, and leaves the rest", async () => {
    const clock = simulatedClock();
    const one = cloud("one", clock);
    await one.spawn("old", -11 * MINUTE);
    await one.spawn("fresh", -9 * MINUTE);
    await one.spawn("later", 60 * MINUTE);
    await one.spawn("endless", null);
    const report = await reap([one.provider], { clock });
    expect(outcomes(report)).toEqual(["one old terminated", "one fresh waiting"]);
    expect(report.complete).toBe(true);
    expect(report.providers[0]?.clock).toEqual({ state: "unknown" });
    expect(keysOf(one)).toEqual(["fresh", "later", "endless"]);
    clock.advance(2 * MINUTE);
    await reap([one.provider], { clock });
    expect(keysOf(one)).toEqual(["later", "endless"]);
  });

  test("a dry run terminates nothing", async () => {
    const clock = simulatedClock();
    const one = cloud("one", clock);
    await one.spawn("old", -11 * MINUTE);
    expect(outcomes(await reap([one.provider], { clock, dryRun: true }))).toEqual(["one old expired"]);
    expect(keysOf(one)).toEqual(["old"]);
  });

  test("touches no other owner's instance", async () => {
    const clock = simulatedClock();
    const world = newWorld(clock);
    const mine = cloud("one", clock, { world, owner: "mine" });
    const theirs = cloud("one", clock, { world, owner: "theirs" });
    await mine.spawn("a", -60 * MINUTE);
    await theirs.spawn("b", -60 * MINUTE);
    await reap([mine.provider], { clock });
    expect(keysOf(mine)).toEqual(["b"]);
    // Each provider ends its own.
    await reap([mine.provider, theirs.provider], { clock });
    expect(keysOf(mine)).toEqual([]);
  });

  test("one of three providers cannot be listed: the others are reaped, and the report is not complete", async () => {
    const clock = simulatedClock();
    const clouds = ["one", "two", "three"].map((name) => cloud(name, clock));
    for (const each of clouds) await each.spawn("old", -11 * MINUTE);
    const down = new ProviderError("UNAVAILABLE", {
      message: "down",
      provider: "two",
      operation: "list",
      effect: "none",
    });
    clouds[1]?.world.readFaults.push(down);
    const report = await reap(
      clouds.map(({ provider }) => provider),
      { clock },
    );
    expect(outcomes(report)).toEqual(["one old terminated", "three old terminated"]);
    expect(report.complete).toBe(false);
    expect(report.providers.map(({ error }) => error)).toEqual([undefined, down, undefined]);
    expect(clouds.map(keysOf)).toEqual([[], ["old"], []]);
  });

  describe("a clock that is 20 minutes wrong", () => {
    const setUp = async (localAheadMs: number, dateAheadMs: number) => {
      const clock = simulatedClock();
      const remote = remoteClock();
      const { onRemoteDate } = remote;
      const dated = cloud("dated", clock, { dateAheadMs, localAheadMs, onRemoteDate });
      const silent = cloud("silent", clock);
      for (const each of [dated, silent]) {
        await each.spawn("long-ago", -40 * MINUTE);
        await each.spawn("just-now", -1 * MINUTE);
        await each.spawn("wanted", 15 * MINUTE);
      }
      const options: ReapOptions = { clock: shifted(clock, localAheadMs), remoteClock: remote };
      const run = () => reap([dated.provider, silent.provider], options);
      return { clock, run, dated, silent };
    };

    test.each([
      ["this machine's, ahead", 20 * MINUTE, 0],
      ["this machine's, behind", -20 * MINUTE, 0],
      ["the remote's, ahead", 0, 20 * MINUTE],
      ["the remote's, behind", 0, -20 * MINUTE],
    ])("%s: nothing that is wanted ends, what is expired by both does, and it is said", async (_, local, remote) => {
      const { run, dated, silent, clock } = await setUp(local, remote);
      const report = await run();
      expect(keysOf(dated)).toEqual(["just-now", "wanted"]);
      expect(keysOf(silent)).toEqual(["just-now", "wanted"]);
      expect(report.complete).toBe(false);
      expect(report.providers.map((one) => one.clock.state)).toEqual(["differs", "unknown"]);
      // A level: what was left comes due on both clocks.
      clock.advance(31 * MINUTE);
      await run();
      expect(keysOf(dated)).not.toContain("just-now");
      expect(keysOf(silent)).not.toContain("just-now");
    });

    test("a small difference, or a slow answer, is none", async () => {
      const { run } = await setUp(90_000, 0);
      const report = await run();
      expect(report.complete).toBe(true);
      expect(report.providers[0]?.clock).toMatchObject({ state: "agrees" });
    });
  });

  test("what expires or is renewed while it looks is judged by the last look", async () => {
    const clock = simulatedClock();
    const one = cloud("one", clock, {
      onList: async () => {
        // The listing takes so long that one more is expired when it is done.
        clock.advance(2 * MINUTE);
      },
    });
    await one.spawn("expires-meanwhile", -9 * MINUTE);
    const renewed = await one.spawn("renewed", -30 * MINUTE);
    const get = one.provider.get;
    const looking: Provider = {
      ...one.provider,
      get: async (id, call) => {
        const seen = await get(id, call);
        if (id !== renewed.id || seen === null) return seen;
        return { ...seen, expiresAt: new Date(clock.now() + 60 * MINUTE).toISOString() };
      },
    };
    const report = await reap([looking], { clock });
    expect(outcomes(report)).toEqual(["one expires-meanwhile terminated", "one renewed waiting"]);
    expect(keysOf(one)).toEqual(["renewed"]);
  });

  test("two owners, three providers of which one is down at first, a clock 20 minutes wrong, and ends that come while it looks", async () => {
    const clock = simulatedClock();
    const remote = remoteClock();
    const local = { localAheadMs: 20 * MINUTE, onRemoteDate: remote.onRemoteDate };
    // Each listing takes a minute, in which more comes due.
    const onList = async (): Promise<void> => clock.advance(MINUTE);
    const owners = ["mine", "theirs"];
    const clouds = ["dated", "down", "silent"].flatMap((name) => {
      const world = newWorld(clock);
      return owners.map((owner) =>
        cloud(name, clock, { ...local, onList, world, owner, dateAheadMs: name === "silent" ? null : 0 }),
      );
    });
    const due = new Map<string, number>();
    for (const [at, each] of clouds.entries()) {
      for (const [key, inMs] of Object.entries({ old: -40, soon: 8, later: 60 })) {
        due.set(`${at} ${key}`, clock.now() + inMs * MINUTE);
        await each.spawn(`${at} ${key}`, inMs * MINUTE);
      }
    }
    const unreadable = new ProviderError("UNAVAILABLE", {
      ...{ message: "down", provider: "down", operation: "list", effect: "none" as const },
    });
    clouds[2]?.world.readFaults.push(unreadable, unreadable);
    const alive = (): string[] =>
      clouds
        .flatMap((each, at) => (at % 2 === 0 ? keysOf(each) : []))
        .map(String)
        .sort();
    const run = () =>
      reap(
        clouds.map(({ provider }) => provider),
        { clock: shifted(clock, local.localAheadMs), remoteClock: remote },
      );
    const first = await run();
    expect(first.complete).toBe(false);
    expect(alive().filter((key) => key.endsWith("old"))).toEqual(["2 old", "3 old"]);
    for (let round = 0; round < 12; round += 1) {
      const before = new Set(alive());
      await run();
      const ended = [...before].filter((key) => !alive().includes(key));
      // Never before the true time, whatever this machine's clock says.
      for (const key of ended) expect(due.get(key), key).toBeLessThanOrEqual(clock.now() - 10 * MINUTE);
    }
    expect(alive().filter((key) => !key.endsWith("later"))).toEqual([]);
  });

  test("an id that another owner or key has by now is left alone", async () => {
    const clock = simulatedClock();
    const one = cloud("one", clock);
    await one.spawn("a", -30 * MINUTE);
    await one.spawn("b", -30 * MINUTE);
    const get = one.provider.get;
    const changed = (change: Partial<Instance>): Provider => ({
      ...one.provider,
      get: async (id, call) => {
        const seen = await get(id, call);
        return seen === null ? null : { ...seen, ...change };
      },
    });
    for (const change of [{ owner: "other" }, { key: "c" }]) {
      const report = await reap([changed(change)], { clock });
      expect(outcomes(report)).toEqual(["one a skipped", "one b skipped"]);
      expect(report.complete).toBe(false);
    }
    expect(keysOf(one)).toEqual(["a", "b"]);
  });

  test("with a store it knows what the remote does not keep, takes the key's lease, and forgets the launch", async () => {
    const clock = simulatedClock();
    const store = memoryStore();
    const one = cloud("one", clock);
    // The remote keeps no `expiresAt`.
    const forgetful: Provider = {
      ...one.provider,
      spawn: async ({ expiresAt: _forgotten, ...options }) => ({
        ...(await one.provider.spawn(options)),
        provider: "one",
      }),
    };
    for (const key of ["busy", "free"]) {
      const expiresAt = new Date(clock.now() + MINUTE).toISOString();
      await launch(forgetful, { key, expiresAt }, { store, clock });
    }
    clock.advance(12 * MINUTE);
    expect(outcomes(await reap([forgetful], { clock }))).toEqual([]);
    const lease = await store.acquire("launch:one::tests:busy");
    if (lease === null) throw new Error("the lease is free");
    const report = await reap([forgetful], { clock, store });
    expect(outcomes(report)).toEqual(["one busy skipped", "one free terminated"]);
    expect(report.complete).toBe(false);
    expect((await allEntries(store)).map(({ id }) => id)).toEqual(["launch:one::tests:busy"]);
    await store.release(lease);
    expect((await reap([forgetful], { clock, store })).complete).toBe(true);
    expect(keysOf(one)).toEqual([]);
  });

  test("an end that fails is told, and does not keep the others", async () => {
    const clock = simulatedClock();
    const one = cloud("one", clock);
    await one.spawn("a", -30 * MINUTE);
    await one.spawn("b", -30 * MINUTE);
    const refused = new ProviderError("AUTH_ERROR", {
      message: "not allowed",
      provider: "one",
      operation: "terminate",
      effect: "none",
    });
    one.world.terminateFaults.push(refused);
    const report = await reap([one.provider], { clock });
    expect(report.complete).toBe(false);
    expect(outcomes(report).sort()).toEqual(["one a failed", "one b terminated"]);
  });
});

test("a clock that needs its own object is asked as one", async () => {
  const clock = simulatedClock();
  class OwnClock {
    readonly #clock = clock;
    now(): number {
      return this.#clock.now();
    }
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      return this.#clock.sleep(ms, signal);
    }
  }
  const one = cloud("a", clock);
  await one.spawn("k", MINUTE);
  clock.advance(20 * MINUTE);
  const report = await reap([one.provider], { clock: new OwnClock(), store: memoryStore() });
  expect(report).toMatchObject({ complete: true });
  expect(living(one.world)).toEqual([]);
});
