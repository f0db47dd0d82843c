import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type LaunchFailpoint, launch, memoryStore, reconcile, type Store } from "../src/index.ts";
import {
  living,
  newWorld,
  plainProvider,
  type SpawnFault,
  safeProvider,
  setStatus,
  type World,
} from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const KEYS = ["a", "b"] as const;
const LAG = 5000;

type Action =
  | {
      readonly act: "launch";
      readonly key: string;
      readonly spec: string;
      readonly dieAt: LaunchFailpoint | undefined;
      readonly fault: SpawnFault | undefined;
      readonly store: 0 | 1;
    }
  | { readonly act: "terminate"; readonly key: string }
  | { readonly act: "wait"; readonly ms: number };

const key = fc.constantFrom(...KEYS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant("launch" as const),
      key,
      spec: fc.constantFrom("small", "small", "small", "big"),
      dieAt: fc.option(fc.constantFrom("before-intent", "after-intent", "after-spawn", "after-record"), {
        nil: undefined,
        freq: 1,
      }),
      fault: fc.option(fc.constantFrom("lost", "dropped", "refused-capacity", "refused-quota", "applied"), {
        nil: undefined,
        freq: 1,
      }),
      store: fc.constantFrom(0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("terminate" as const), key }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 2 * LAG }) }) },
);

const models = [
  ["that is not idempotent", plainProvider],
  ["that is idempotent", safeProvider],
] as const;

/** Plays the actions; a launch that dies or fails is what happens to processes, and no failure of the property. */
async function play(
  world: World,
  make: typeof plainProvider | typeof safeProvider,
  stores: readonly [Store, Store],
  actions: readonly Action[],
  afterEach: () => void,
): Promise<void> {
  for (const one of actions) {
    if (one.act === "wait") world.clock.advance(one.ms);
    else if (one.act === "terminate") for (const { id } of living(world, one.key)) setStatus(world, id, "terminated");
    else {
      world.spawnFaults.splice(0, world.spawnFaults.length, one.fault);
      const failpoint = (name: LaunchFailpoint): void => {
        if (name === one.dieAt) throw new Error("killed");
      };
      const control = { store: stores[one.store], clock: world.clock, failpoint };
      await launch(make(world), { key: one.key, spec: one.spec }, control).catch(() => undefined);
    }
    afterEach();
  }
  world.spawnFaults.length = 0;
}

describe.each(models)("any history of launches, crashes and terminations over a spawn %s", (_name, make) => {
  test("leaves at most one instance per key at any time, and exactly one after the next launch", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 20, size: "max" }), async (actions) => {
        const world = newWorld(simulatedClock(), LAG);
        const store = memoryStore();
        await play(world, make, [store, store], actions, () => {
          for (const one of KEYS) expect(living(world, one).length).toBeLessThanOrEqual(1);
        });
        for (const one of KEYS) {
          // Reads that lag may still show what was just terminated; after that the answer must be the living one.
          world.clock.advance(2 * LAG);
          const spec = living(world, one)[0]?.spec ?? "small";
          const instance = await launch(make(world), { key: one, spec }, { store, clock: world.clock });
          expect(living(world, one).map(({ id }) => id)).toEqual([instance.id]);
        }
        world.clock.advance(2 * LAG);
        const plan = await reconcile(make(world), { store, clock: world.clock });
        expect(plan.items).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

test("two stores that know nothing of each other: every duplicate is in either one's plan, and applying it leaves one", async () => {
  let duplicates = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 3, maxLength: 20, size: "max" }), async (actions) => {
      const world = newWorld(simulatedClock(), LAG);
      const stores = [memoryStore(), memoryStore()] as const;
      await play(world, plainProvider, stores, actions, () => undefined);
      world.clock.advance(2 * LAG);
      const extra = KEYS.reduce((sum, one) => sum + Math.max(0, living(world, one).length - 1), 0);
      duplicates += extra;
      for (const store of stores) {
        const { items } = await reconcile(plainProvider(world), { store, clock: world.clock });
        expect(items.filter(({ kind }) => kind === "duplicate")).toHaveLength(extra);
      }
      const before = new Set(living(world).map((instance) => instance.key));
      const options = { store: stores[0], clock: world.clock };
      const plan = await reconcile(plainProvider(world), options);
      await apply(plainProvider(world), plan, { ...options, only: ["duplicate"] });
      expect(
        living(world)
          .map((instance) => instance.key)
          .sort(),
      ).toEqual([...before].sort());
    }),
    { numRuns: 150 },
  );
  // The histories do make duplicates, or nothing was shown.
  expect(duplicates).toBeGreaterThan(20);
});
