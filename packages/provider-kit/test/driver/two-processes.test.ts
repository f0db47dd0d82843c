import { type Instance, type InstanceStatus, isProviderError, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { type Driver, type Ownership, providerFromDriver } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly ownership: Ownership;
  status: InstanceStatus;
  readonly createdAt: string;
}

type Kind = "plain" | "unique-names" | "elects";

/** A remote in memory, and processes over it that share nothing else. */
function world(kind: Kind) {
  const clock = simulatedClock({ start: "2026-01-01T00:00:00.000Z" });
  const things: Thing[] = [];
  const destroyed: string[] = [];
  let last = 0;
  let hidden = false;
  let [lagMs, answerMs] = [0, 10];
  let creates = 0;
  let kills = 0;
  const live = () => things.filter(({ status }) => status !== "terminated");
  const driver: Driver<Thing, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: (id) => /^t-\d+$/.test(id),
    identify: (thing) => thing,
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    elects: kind === "elects",
    list: async function* () {
      const shown = things.filter(({ createdAt }) => clock.now() - Date.parse(createdAt) >= lagMs);
      await clock.sleep(answerMs);
      yield lagMs > 0 ? shown : things.slice();
    },
    get: async (_, id) => (await clock.sleep(10), things.find((thing) => thing.id === id) ?? null),
    prepare: () => undefined,
    create: async ({ operation }, { name, ownership }) => {
      creates += 1;
      await clock.sleep(50);
      if (kind === "unique-names" && (hidden || live().some((thing) => thing.name === name))) {
        const error = new ProviderError("CONFLICT", {
          provider: "t",
          operation,
          effect: "none",
          message: "the name is taken",
        });
        return { error, lookUp: true, retry: true };
      }
      last += 1;
      const createdAt = new Date(clock.now()).toISOString();
      const thing: Thing = { id: `t-${last}`, name, ownership, status: "pending", createdAt };
      things.push(thing);
      if (kills-- > 0)
        throw new ProviderError("NETWORK", { provider: "t", operation, effect: "unknown", message: "killed" });
      await clock.sleep(50);
      return { machine: thing };
    },
    finish: async (_, thing) => {
      if (thing.status === "pending") thing.status = "running";
      return thing;
    },
    destroy: async (_, id) => {
      await clock.sleep(10);
      for (const thing of things) if (thing.id === id) thing.status = "terminated";
      destroyed.push(id);
      return "accepted";
    },
  };
  const another = (): Provider =>
    providerFromDriver<Provider, Thing, unknown>({
      name: "t",
      owner: "o",
      tier: "testing",
      capabilities: {},
      limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: 1_000, requestLifeMs: 0 },
      driver,
      hooks: { startup: async () => undefined },
      runtime: { clock },
      methods: () => ({}),
    }).provider;
  return {
    another,
    live,
    destroyed,
    creates: () => creates,
    hide: () => (hidden = true),
    lag: (ms: number, answered: number) => ([lagMs, answerMs] = [ms, answered]),
    killNextCreates: (n: number) => (kills = n),
  };
}

test.each([
  ["plain", 4],
  ["unique-names", 1],
  ["elects", 1],
] as const)("four processes spawn one key at once over a remote that is %s: %i live", async (kind, count) => {
  const { another, live } = world(kind);
  const spawned = await Promise.all([1, 2, 3, 4].map(() => another().spawn({ key: "k" })));
  expect(live()).toHaveLength(count);
  if (count === 1) expect(new Set(spawned.map(({ id }) => id))).toEqual(new Set([live()[0]?.id]));
});

test("what killed processes left of an election is ended by the next spawn, and the oldest is completed", async () => {
  const { another, live, killNextCreates, destroyed } = world("elects");
  killNextCreates(2);
  const killed = await Promise.allSettled([{}, { a: "b" }].map((labels) => another().spawn({ key: "k", labels })));
  expect(killed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(live().map(({ id, status }) => `${id} ${status}`)).toEqual(["t-1 pending", "t-2 pending"]);
  expect((await another().spawn({ key: "k", labels: {} })).id).toBe("t-1");
  expect(live().map(({ id, status }) => `${id} ${status}`)).toEqual(["t-1 running"]);
  expect(destroyed).toEqual(["t-2"]);
});

test("a name that is taken and never shown ends with the remote's own refusal, after two attempts", async () => {
  const { another, hide, creates } = world("unique-names");
  hide();
  await expect(another().spawn({ key: "k" })).rejects.toMatchObject({ code: "CONFLICT", message: "the name is taken" });
  expect(creates()).toBe(2);
});

test("a name that is taken is looked for until a listing that began late enough does not show it", async () => {
  const { another, lag, creates } = world("unique-names");
  lag(900, 1_100);
  const [first, second] = await Promise.all([another().spawn({ key: "k" }), another().spawn({ key: "k" })]);
  expect(second.id).toBe(first.id);
  expect(creates()).toBe(2);
});

test.each(["unique-names", "elects"] as const)(
  "of two specs at once (%s) one wins, the other is CONFLICT",
  async (kind) => {
    const { another, live } = world(kind);
    const outcomes = await Promise.allSettled([
      another().spawn({ key: "k" }),
      another().spawn({ key: "k", labels: { a: "b" } }),
    ]);
    expect(live()).toHaveLength(1);
    const failed = outcomes.filter((one) => one.status === "rejected").map(({ reason }) => reason as unknown);
    expect(failed.map((error) => isProviderError(error, "CONFLICT"))).toEqual([true]);
  },
);

test.each(["plain", "elects"] as const)(
  "a key whose instance is terminating gets a new one over a remote that is %s",
  async (kind) => {
    const { another, live } = world(kind);
    const first = await another().spawn({ key: "k" });
    for (const thing of live()) thing.status = "terminating";
    const second = await another().spawn({ key: "k" });
    expect(second.id).not.toBe(first.id);
    expect((await another().spawn({ key: "k" })).id).toBe(second.id);
  },
);

test("it is BUSY, and worth another call, where the remote still holds the name", async () => {
  const { another, live } = world("unique-names");
  const first = await another().spawn({ key: "k" });
  for (const thing of live()) thing.status = "terminating";
  await expect(another().spawn({ key: "k" })).rejects.toMatchObject({
    code: "BUSY",
    effect: "none",
    retryable: true,
    retryAfterMs: expect.any(Number),
    native: { id: first.id },
  });
  for (const thing of live()) thing.status = "terminated";
  expect((await another().spawn({ key: "k" })).id).not.toBe(first.id);
});
