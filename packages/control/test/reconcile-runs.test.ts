import { type Workflow, workflow } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  apply,
  findOrphans,
  memoryStore,
  reconcile,
  runRecordId,
  runWorkflow,
  type Store,
  StoreError,
  type StoreErrorCode,
} from "../src/index.ts";
import { living, newWorld, type PlainProvider, plainProvider, type World } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

let clock: SimulatedClock;
let world: World;
let provider: PlainProvider;
let store: Store;

beforeEach(() => {
  clock = simulatedClock();
  world = newWorld(clock);
  provider = plainProvider(world);
  store = memoryStore();
});

/** A run whose step spawns; afterwards it goes on as `then` says. */
const spawning = (then: () => Promise<void>): Workflow<Record<string, never>, { readonly id: string }> =>
  workflow({
    type: "tests.spawning",
    version: 1,
    input: plain(),
    output: plain(),
    run: async (ctx) => {
      const id = await ctx.step("spawn", async ({ key }) => (await provider.spawn({ key })).id, {
        undo: () => Promise.reject(new Error("it cannot be undone")),
      });
      await then();
      return { id };
    },
  });

const plain = <T>() => ({
  "~standard": { version: 1 as const, vendor: "tests", validate: (value: unknown) => ({ value: value as T }) },
});
const start = (then: () => Promise<void>) => runWorkflow(spawning(then), {}, { journal: store, clock, runId: "r" });
const round = async (from: Store = store) => {
  clock.advance(2 * world.lagMs);
  const options = { store: from, clock };
  const plan = await reconcile(provider, options);
  await apply(provider, plan, options);
  return plan;
};

describe("an instance that a step of a run has made", () => {
  test("is no orphan while the run goes on", async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const run = start(async () => {
      reached.resolve();
      await goOn.promise;
    });
    await reached.promise;
    const orphan = await provider.spawn({ key: "somebody else's" });
    expect((await round()).items).toMatchObject([{ kind: "orphan", instanceId: orphan.id }]);
    goOn.resolve();
    expect(living(world).map(({ id }) => id)).toEqual([(await run).id]);
  });

  test("is no orphan after the run: whoever started it has it", async () => {
    const { id } = await start(async () => undefined);
    expect((await round()).items).toEqual([]);
    expect(living(world).map((one) => one.id)).toEqual([id]);
  });

  test("is an orphan where the run has failed, and could not undo the step", async () => {
    await expect(start(() => Promise.reject(new Error("no")))).rejects.toMatchObject({ leftovers: [{}] });
    expect((await round()).items).toMatchObject([{ kind: "orphan" }]);
    expect(living(world)).toEqual([]);
  });

  test.each<StoreErrorCode>(["CORRUPT", "FORMAT"])(
    "may be of a run whose record is %s: nothing is ended",
    async (code) => {
      const { id } = await start(async () => undefined);
      const spoiled: Store = {
        ...store,
        entries: async function* (filter) {
          for await (const entry of store.entries(filter)) if (entry.id !== runRecordId("r")) yield entry;
          if (filter?.kind === undefined || filter.kind === "run") {
            throw new StoreError(code, { message: "it cannot be read", hint: "Look at it." });
          }
        },
      };
      expect(await round(spoiled)).toMatchObject({ items: [], unread: { code } });
      expect(living(world).map((one) => one.id)).toEqual([id]);
    },
  );

  test("of a run that an engine or another store keeps, is ended only by name", async () => {
    const { id } = await start(async () => undefined);
    const mine = memoryStore();
    clock.advance(2 * world.lagMs);
    const plan = await reconcile(provider, { store: mine, clock });
    expect(plan.items).toMatchObject([{ kind: "unknown-run", instanceId: id }]);
    expect(await findOrphans(provider, { store: mine, clock })).toEqual([]);
    const left = await apply(provider, plan, { store: mine, clock });
    expect(left).toMatchObject([{ outcome: "skipped", why: expect.stringContaining("name the kind unknown-run") }]);
    expect(living(world)).toHaveLength(1);
    const ended = await apply(provider, plan, { store: mine, clock, only: ["unknown-run"] });
    expect(ended).toMatchObject([{ outcome: "terminated" }]);
    expect(living(world)).toEqual([]);
  });

  test("of an unknown run, is left where its run is known by now", async () => {
    const { id } = await start(async () => undefined);
    clock.advance(2 * world.lagMs);
    const plan = await reconcile(provider, { store: memoryStore(), clock });
    const results = await apply(provider, plan, { store, clock, only: ["unknown-run"] });
    expect(results).toMatchObject([{ outcome: "skipped", why: "a step of a run has made it" }]);
    expect(living(world).map((one) => one.id)).toEqual([id]);
  });

  test("is looked for again before an orphan is ended: the plan may not have seen its run", async () => {
    const { id } = await start(async () => undefined);
    const orphan = await provider.spawn({ key: `wf-${"0".repeat(40)}` });
    clock.advance(2 * world.lagMs);
    const plan = await reconcile(provider, { store: memoryStore(), clock });
    expect(plan.items).toHaveLength(2);
    const unreadable: Store = {
      ...store,
      entries: async function* () {
        yield* [];
        throw new StoreError("CORRUPT", { message: "it cannot be read", hint: "Look at it." });
      },
    };
    const unsure = await apply(provider, plan, { store: unreadable, clock });
    expect(unsure.map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
    const results = await apply(provider, plan, { store, clock });
    expect(results).toMatchObject([
      { item: { instanceId: id }, outcome: "skipped", why: "a step of a run has made it" },
      {
        item: { instanceId: orphan.id },
        outcome: "skipped",
        why: expect.stringContaining("name the kind unknown-run"),
      },
    ]);
    expect(living(world)).toHaveLength(2);
  });
});
