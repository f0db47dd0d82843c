import { type Instance, layer, type Provider } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { apply, compose, memoryStore, type PlanItem, planFrom, type ReconcilePlan, reconcile } from "../src/index.ts";
import { living, newWorld, plainProvider } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

/** How many elements of arrays the work looks at one by one, copies included, and how often it reads a creation time. */
function countedSteps(work: (countReads: (instance: Instance) => Instance) => unknown): number {
  let steps = 0;
  const iterate = Array.prototype[Symbol.iterator];
  const counted = function* (this: unknown[]): Generator<unknown> {
    for (let at = 0; at < this.length; at += 1) {
      steps += 1;
      yield this[at];
    }
  };
  const countReads = (instance: Instance): Instance =>
    Object.defineProperty({ ...instance }, "createdAt", {
      get: () => {
        steps += 1;
        return instance.createdAt;
      },
    });
  // biome-ignore lint/suspicious/noGlobalAssign: counts what the plan visits, and is put back in `finally`
  Object.defineProperty(Array.prototype, Symbol.iterator, { value: counted, configurable: true, writable: true });
  try {
    work(countReads);
  } finally {
    Object.defineProperty(Array.prototype, Symbol.iterator, { value: iterate, configurable: true, writable: true });
  }
  return steps;
}

const instanceOf = (index: number): Instance => ({
  id: `m-${index}`,
  status: "running",
  provider: "scripted",
  nativeId: `m-${index}`,
  key: "one",
  owner: "tests",
  addresses: {},
  isSpot: false,
  labels: {},
  createdAt: new Date(1_000_000 - index).toISOString(),
});

describe("a plan over very many instances", () => {
  const stepsFor = (many: number): number => {
    const instances = Array.from({ length: many }, (_value, index) => instanceOf(index));
    const findings = { provider: "scripted", owner: "tests", account: "", entries: [], earlier: [] };
    return countedSteps((counted) => planFrom({ ...findings, instances: instances.map(counted), listedAt: 0, now: 0 }));
  };

  test("of one key takes ten times the steps for ten times as many", () => {
    expect(stepsFor(5000) / stepsFor(500)).toBeLessThanOrEqual(11);
  });
});

/** A world with so many orphans, and what their ends look like from outside. */
async function worldWith(keys: readonly string[]) {
  const clock = simulatedClock();
  const world = newWorld(clock);
  const provider = plainProvider(world);
  for (const key of keys) await provider.spawn({ key });
  clock.advance(2 * world.lagMs);
  let [under, most] = [0, 0];
  const counting = layer(async (call, next) => {
    if (call.operation !== "terminate") return next();
    under += 1;
    most = Math.max(most, under);
    await clock.sleep(100);
    under -= 1;
    return next();
  });
  const options = { store: memoryStore(), clock };
  return { world, clock, provider: compose<Provider>(provider, counting), options, most: () => most };
}

describe("apply over very many items", () => {
  const keys = Array.from({ length: 1000 }, (_value, index) => `k-${index}`);

  test("works on many keys at once, and on no more than 250", async () => {
    const { world, provider, options, most } = await worldWith(keys);
    const plan = await reconcile(provider, options);
    const results = await apply(provider, plan, options);
    expect(results.map(({ item }) => item)).toEqual(plan.items);
    expect(results.every(({ outcome }) => outcome === "terminated")).toBe(true);
    expect(living(world)).toEqual([]);
    expect(most()).toBe(250);
  });

  test("works on many duplicates of one key at once, and keeps the one", async () => {
    const { world, provider, options, most } = await worldWith(keys.map(() => "one"));
    const plan = await reconcile(provider, options);
    const results = await apply(provider, plan, { ...options, only: ["duplicate"] });
    expect(results).toHaveLength(999);
    expect(living(world).map(({ id }) => id)).toEqual(["m-1"]);
    expect(most()).toBe(250);
  });

  test.each([
    ["one key", ["one", "one"]],
    ["two keys", ["one", "two"]],
  ])("of two that name each other as the one that stays, one stays: %s", async (_name, [first = "", second = ""]) => {
    const { world, provider, options } = await worldWith([first, second]);
    const item = (instanceId: string, keep: string, key: string): PlanItem => ({
      ...{ kind: "duplicate", instanceId, keep, key, reason: "made up" },
    });
    const plan: ReconcilePlan = {
      ...(await reconcile(provider, options)),
      items: [item("m-1", "m-2", first), item("m-2", "m-1", second)],
    };
    await apply(provider, plan, options);
    expect(living(world).length).toBeGreaterThanOrEqual(1);
  });

  test("what is cancelled on the way is skipped", async () => {
    const { world, provider, options, clock } = await worldWith(keys);
    const plan = await reconcile(provider, options);
    const controller = new AbortController();
    const applied = apply(provider, plan, { ...options, signal: controller.signal });
    await clock.sleep(50);
    controller.abort();
    const skipped = (await applied).filter(({ outcome }) => outcome === "skipped");
    expect(skipped.length).toBeGreaterThanOrEqual(700);
    expect(living(world).length).toBeGreaterThanOrEqual(700);
  });

  test("a store with a record that cannot be read is asked once for each key", async () => {
    const { provider, options, clock } = await worldWith(keys.map(() => "one"));
    let reads = 0;
    const { StoreError } = await import("../src/index.ts");
    const store = {
      ...options.store,
      read: async (id: string) => {
        reads += 1;
        return options.store.read(id);
      },
      entries: async function* () {
        yield* [];
        throw new StoreError("CORRUPT", { message: "it cannot be read", hint: "Look at it." });
      },
    };
    await reconcile(provider, { store, clock });
    expect(reads).toBe(1);
  });
});
