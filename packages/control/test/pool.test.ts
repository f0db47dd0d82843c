import { type Provider, ProviderError } from "@slipway/core";
import { type MemoryProvider, type MemoryWorld, memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import type { PoolSlot } from "../src/index.ts";
import { memoryStore, type Pool, type PoolSpec, pool, type Store } from "../src/index.ts";
import { type PoolFindings, planPool } from "../src/pool/plan.ts";
import { newHost } from "./expiring-host.ts";
import { living as machinesOf, newWorld, plainProvider, setStatus } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const slotOf = (slot: number, more: Partial<PoolSlot> = {}): PoolSlot => ({
  slot,
  key: `pool/p/${slot}`,
  generation: "now",
  state: "idle",
  since: "2026-01-01T00:00:00.000Z",
  ageMs: 0,
  instanceId: `i-${slot}`,
  ...more,
});
const empty = (slot: number): PoolSlot => {
  const { instanceId: _none, ...rest } = slotOf(slot, { state: "empty" });
  return rest;
};

const planOf = (slots: readonly PoolSlot[], more: Partial<PoolFindings> = {}): readonly string[] =>
  planPool({
    size: { max: 4, desired: 2 },
    slots,
    generation: "now",
    replace: { onDrift: true, most: 1, surge: false },
    unseen: new Set(),
    mayLaunch: true,
    ...more,
  }).map(({ action, slot }) => `${action} ${slot}`);

describe("a plan", () => {
  const two = [slotOf(0), slotOf(1), empty(2), empty(3)];
  test.each([
    ["is nothing where all is as wanted", two, {}, []],
    ["fills the lowest free slots", [empty(0), slotOf(1), empty(2), empty(3)], {}, ["launch 0"]],
    ["launches nothing while all placements are left alone", [empty(0), empty(1)], { mayLaunch: false }, []],
    ["tries a failed slot again", [slotOf(0), slotOf(1, { state: "failed" })], {}, ["launch 1"]],
    ["ends the highest idle ones", [...two.slice(0, 2), slotOf(2)], {}, ["end 2"]],
    [
      "goes on with what was begun",
      [slotOf(0, { state: "launching" }), slotOf(1, { state: "ending" }), slotOf(2)],
      {},
      ["launch 0", "end 1"],
    ],
    ["ends what is gone, and replaces it in the next round", two, { unseen: new Set([0]) }, ["end 0"]],
    [
      "keeps so many idle beside the claimed",
      [slotOf(0, { state: "claimed", claim: "a" }), slotOf(1), empty(2), empty(3)],
      { size: { max: 4, desired: { minIdle: 2 } } },
      ["launch 2"],
    ],
    [
      "never has more than max",
      [slotOf(0, { state: "claimed" }), slotOf(1)],
      { size: { max: 2, desired: { minIdle: 5 } } },
      [],
    ],
    [
      "drains claimed ones beyond a smaller max, and ends idle ones",
      [slotOf(0), slotOf(1), slotOf(2, { state: "claimed" }), slotOf(3)],
      { size: { max: 2, desired: 2 } },
      ["drain 2", "end 3"],
    ],
    [
      "replaces one that drifted at a time",
      [slotOf(0, { generation: "old" }), slotOf(1, { generation: "old" })],
      {},
      ["end 0"],
    ],
    [
      "replaces no more while one is ending",
      [slotOf(0, { generation: "old" }), slotOf(1), slotOf(2, { state: "ending" })],
      {},
      ["end 2"],
    ],
    [
      "drains a claimed one that drifted",
      [slotOf(0, { generation: "old", state: "claimed" }), slotOf(1)],
      {},
      ["drain 0"],
    ],
    [
      "leaves drift alone where it is told to",
      [slotOf(0, { generation: "old" }), slotOf(1)],
      { replace: { onDrift: false, most: 1, surge: false } },
      [],
    ],
    ["replaces what is too old", [slotOf(0), slotOf(1, { ageMs: 100 })], { ttlMs: 100 }, ["end 1"]],
    [
      "launches the new one first where it may",
      [slotOf(0, { generation: "old" }), slotOf(1), empty(2)],
      { replace: { onDrift: true, most: 1, surge: true } },
      ["launch 2"],
    ],
    [
      "ends the old one once the new one is there",
      [slotOf(0, { generation: "old" }), slotOf(1), slotOf(2)],
      { replace: { onDrift: true, most: 1, surge: true } },
      ["end 0"],
    ],
  ] as const)("%s", (_title, slots, more, changes) => {
    expect(planOf(slots, more)).toEqual(changes);
  });
});

const SPEC: Omit<PoolSpec, "spawn"> = { name: "p", max: 6, desired: 4 };
const SPAWN = { spec: "m1.small" };

function controller(world: MemoryWorld, store: Store, more: Partial<PoolSpec<MemoryProvider>> = {}): Pool {
  const provider = memory({ owner: "o", world });
  return pool(provider, { ...SPEC, spawn: SPAWN, ...more }, { store, clock: world.clock });
}

const living = (world: MemoryWorld) => world.instances().filter(({ live }) => live);
const states = async (one: Pool): Promise<string> => (await one.slots()).map(({ state }) => state[0]).join("");

/** The machine types that live, in order. */
const specsIn = (world: MemoryWorld) => {
  const provider = memory({ owner: "o", world });
  return provider.list({}).then((all) =>
    all
      .filter(({ status }) => !/terminat/.test(status))
      .map(({ spec }) => spec)
      .toSorted(),
  );
};

async function settle(one: Pool): Promise<void> {
  for (let round = 0; round < 20; round += 1) if ((await one.keep()).length === 0) return;
  throw new Error("the pool does not come to rest");
}

test("a pool is filled, shrunk, grown and kept; claimed machines are drained, and ended once they are released", async () => {
  const world = memoryWorld();
  const one = controller(world, memoryStore());
  await settle(one);
  expect([await states(one), living(world).length]).toEqual(["iiiiee", 4]);
  const claimed = await one.claim("job");
  expect(claimed).toMatchObject({ slot: 0, state: "claimed" });
  expect(await one.claim("job")).toEqual(claimed);
  await one.resize({ max: 1, desired: 0 });
  await settle(one);
  expect([await states(one), living(world).length]).toEqual(["c", 1]);
  await one.release("job");
  await settle(one);
  expect([await states(one), living(world).length]).toEqual(["e", 0]);
  await one.resize({ max: 3, desired: { minIdle: 1 } });
  await settle(one);
  await one.claim("job");
  await settle(one);
  expect(await states(one)).toBe("cie");
  await one.release("job", { reuse: false });
  await one.release("job");
  await settle(one);
  expect([await states(one), living(world).length]).toEqual(["eie", 1]);
});

test("of many who claim at once no two have one slot, and the same claim has one slot on every host", async () => {
  const world = memoryWorld();
  const store = memoryStore();
  const hosts = [controller(world, store), controller(world, store)];
  await settle(hosts[0] as Pool);
  const claims = Array.from({ length: 12 }, (_value, index) => `job-${index % 3}`);
  const slots = await Promise.all(claims.map(async (claim, index) => (await hosts[index % 2]?.claim(claim))?.slot));
  const perClaim = Map.groupBy(slots.entries(), ([index]) => claims[index]);
  for (const held of perClaim.values()) expect(new Set(held.map(([, slot]) => slot)).size).toBe(1);
  expect(new Set(slots)).toEqual(new Set([0, 1, 2]));
  expect((await hosts[0]?.slots())?.filter(({ state }) => state === "claimed").length).toBe(3);
});

test("machines of another generation are replaced one after the other, claimed ones only once they are released", async () => {
  const world = memoryWorld();
  const store = memoryStore();
  await settle(controller(world, store));
  const next = controller(world, store, { spawn: { spec: "m1.large" } });
  const before = controller(world, store);
  await before.claim("job");
  await settle(next);
  await world.clock.sleep(60_000);
  expect(await specsIn(world)).toEqual(["m1.large", "m1.large", "m1.large", "m1.large", "m1.small"]);
  await next.release("job");
  await settle(next);
  await world.clock.sleep(60_000);
  expect(new Set(await specsIn(world))).toEqual(new Set(["m1.large"]));
});

test("age is never counted too high, and goes on with another controller", async () => {
  const world = memoryWorld();
  const store = memoryStore();
  const ttlMs = 10_000_000;
  const spec = { max: 1, desired: 1, ttlMs };
  const one = controller(world, store, spec);
  await settle(one);
  const [first] = living(world);
  for (let part = 0; part < 6; part += 1) {
    await world.clock.sleep(ttlMs / 10);
    await one.keep();
  }
  const other = controller(world, store, spec);
  await other.keep();
  await world.clock.sleep(ttlMs / 5);
  await settle(other);
  expect(living(world)).toMatchObject([{ nativeId: first?.nativeId }]);
  await world.clock.sleep(ttlMs / 4);
  await settle(other);
  expect(living(world)[0]?.nativeId).not.toBe(first?.nativeId);
});

test("a placement without capacity is left alone for longer and longer, and the next one is taken", async () => {
  const world = memoryWorld({ capacity: [{ region: "mem-east-1", machines: 1 }] });
  const placements = [{ region: "mem-east-1" }, { region: "mem-west-1" }];
  const one = controller(world, memoryStore(), { placements, max: 3, desired: 3 });
  await settle(one);
  expect(
    living(world)
      .map(({ region }) => region)
      .toSorted(),
  ).toEqual(["mem-east-1", "mem-west-1", "mem-west-1"]);
});

test("a slot whose launch may have made something is not given up, and what it made is ended with it", async () => {
  const clock = simulatedClock();
  const scripted = newWorld(clock);
  const spec = { name: "p", max: 1, desired: 1, spawn: {} };
  const one = pool(plainProvider(scripted), spec, { store: memoryStore(), clock });
  const denied = () =>
    new ProviderError("AUTH_ERROR", { message: "no", provider: "scripted", operation: "list", effect: "none" });
  scripted.spawnFaults.push("lost");
  // Neither the launch nor the next one can look for what was made.
  scripted.readFaults.push(denied(), denied());
  await one.keep();
  await one.keep();
  expect(await one.slots()).toMatchObject([{ state: "launching", lastError: {} }]);
  await one.resize({ desired: 0 });
  await settle(one);
  expect(machinesOf(scripted)).toEqual([]);
});

test("what stands under a slot's key with other options is replaced, and never handed out as one with these", async () => {
  const world = memoryWorld();
  await settle(controller(world, memoryStore(), { max: 1, desired: 1 }));
  // The store is lost, and the options are others by now.
  const one = controller(world, memoryStore(), { max: 1, desired: 1, spawn: { spec: "m1.large" } });
  await one.keep();
  expect(await one.claim("job")).toBeNull();
  await settle(one);
  expect(await specsIn(world)).toEqual(["m1.large"]);
});

test("an id in a CONFLICT that is not of the slot's instance is not taken for one", async () => {
  const clock = simulatedClock();
  // As where a firewall of that name was made by somebody else.
  const spawn = () =>
    Promise.reject(
      new ProviderError("CONFLICT", {
        message: "sg-1 has the name of our security group and not our tags",
        provider: "scripted",
        operation: "spawn",
        effect: "none",
        native: { id: "sg-1" },
      }),
    );
  const provider: Provider = { ...plainProvider(newWorld(clock)), spawn };
  const one = pool(provider, { name: "p", max: 1, desired: 1, spawn: {} }, { store: memoryStore(), clock });
  await one.keep();
  expect(await one.claim("job")).toBeNull();
  expect(await one.slots()).toMatchObject([{ state: "launching", lastError: {} }]);
});

test("a machine whose end takes long does not hold up the round", async () => {
  const clock = simulatedClock();
  const scripted = newWorld(clock);
  // Accepted, and never over.
  const terminate = async (id: string) => setStatus(scripted, id, "terminating");
  const provider: Provider = { ...plainProvider(scripted), terminate };
  const one = pool(provider, { name: "p", max: 1, desired: 1, spawn: {} }, { store: memoryStore(), clock });
  await one.keep();
  clock.advance(scripted.lagMs);
  await one.resize({ desired: 0 });
  const begun = clock.elapsed();
  await one.keep();
  expect(await one.slots()).toMatchObject([{ state: "ending", lastError: { provider: { code: "TIMEOUT" } } }]);
  expect(clock.elapsed() - begun).toBeLessThan(120_000);
});

test("a round that cannot list or read changes nothing", async () => {
  const world = memoryWorld();
  const store = memoryStore();
  const one = controller(world, store);
  await settle(one);
  await one.resize({ desired: 6 });
  const changes = world.changes;
  world.faults.add({ operation: "list", when: "before", code: "AUTH_ERROR", times: 1 });
  await expect(one.keep()).rejects.toMatchObject({ code: "AUTH_ERROR" });
  expect(world.changes).toBe(changes);
});

/** Whatever two controllers, crashes and kills do, no moment has more than `max` machines. */
test.each([1, 2, 3])("two controllers, crashes and kills: never more than six live (seed %i)", async (seed) => {
  const world = memoryWorld({ seed });
  const shared = memoryStore();
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  let most = 0;
  const watch = (): void => {
    most = Math.max(most, living(world).length);
  };

  /** A controller in a process of its own, as far as it can be killed: from then on none of its calls goes on. */
  const start = () => {
    const { store, loseLeases } = newHost(shared);
    const inner = memory({ owner: "o", world });
    let killedAt = Number.POSITIVE_INFINITY;
    let calls = 0;
    let diesAfterSpawn = false;
    const mortal = async <T>(work: () => Promise<T>): Promise<T> => {
      watch();
      calls += 1;
      if (calls > killedAt) return new Promise<never>(() => undefined);
      const result = await work();
      watch();
      return calls > killedAt ? new Promise<never>(() => undefined) : result;
    };
    const provider: typeof inner = {
      ...inner,
      spawn: (options) =>
        mortal(async () => {
          const instance = await inner.spawn(options);
          // Done, and nobody has written it down.
          if (diesAfterSpawn) killedAt = 0;
          return instance;
        }),
      terminate: (id, options) => mortal(() => inner.terminate(id, options)),
      list: (...args) => mortal(() => inner.list(...args)),
      get: (...args) => mortal(() => inner.get(...args)),
    };
    const guarded: Store = {
      ...store,
      acquire: (id) => mortal(() => store.acquire(id)),
      read: (id) => mortal(() => store.read(id)),
      write: (id, record) => mortal(() => store.write(id, record)),
      release: (lease) => mortal(() => store.release(lease)),
    };
    const one = pool(provider, { ...SPEC, desired: 6, spawn: SPAWN }, { store: guarded, clock: world.clock });
    return {
      one,
      /** After so many calls more. */
      killSoon: (more: number) => {
        killedAt = calls + more;
      },
      killAfterSpawn: () => {
        diesAfterSpawn = true;
      },
      isDead: () => calls > killedAt,
      bury: () => loseLeases(false),
    };
  };

  const hosts = [start(), start()];
  let crashes = 0;
  let kills = 0;
  const crash = (count: number): void => {
    for (let left = count; left > 0; left -= 1) {
      const lives = living(world);
      const one = lives[random(lives.length)];
      if (one === undefined) continue;
      world.crash(one.nativeId);
      crashes += 1;
    }
  };
  for (let round = 0; round < 40; round += 1) {
    crash(random(4));
    await world.clock.sleep(1000 * random(30));
    const victim = round % 6 === 5 ? hosts[round % 2] : undefined;
    if (victim === undefined) {
      await Promise.all(hosts.map(({ one }) => one.keep()));
      continue;
    }
    crash(3);
    await world.clock.sleep(60_000);
    if (round % 12 === 5) victim.killAfterSpawn();
    else victim.killSoon(1 + random(40));
    // Round after round, until it is dead: its last one never ends.
    while (!victim.isDead()) await Promise.race([victim.one.keep(), world.clock.sleep(50_000)]);
    kills += 1;
    await victim.bury();
    hosts[round % 2] = start();
  }
  for (const { one } of hosts) await settle(one);
  expect(living(world).length).toBe(6);
  expect([crashes > 50, kills]).toEqual([true, 6]);
  expect(most).toBe(6);
});
