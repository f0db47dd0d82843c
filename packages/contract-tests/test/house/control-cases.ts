import assert from "node:assert/strict";
import {
  allEntries,
  isWorkflowError,
  type LaunchFailpoint,
  launch,
  memoryStore,
  runWorkflow,
  stepKey,
} from "@slipway/control";
import {
  type Instance,
  isProviderError,
  type Provider,
  restrict,
  type Schema,
  specHash,
  type Workflow,
  workflow,
} from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { type MemoryProvider, memory } from "@slipway/provider-memory";
import type { RuleId } from "../../src/ids.ts";
import { expiringFixture } from "../expiring-store.ts";
import { failure, house, OWNER, SPEC, unclear } from "./house.ts";

class Killed extends Error {}
const dieAt =
  (point: LaunchFailpoint) =>
  (name: LaunchFailpoint): void => {
    if (name === point) throw new Killed(point);
  };

/** Takes a value if the check holds; the steps are what is looked at here. */
function schema<T>(holds: (value: unknown) => value is T): Schema<T> {
  const validate = (value: unknown) => (holds(value) ? { value } : { issues: [{ message: "it is another" }] });
  return { "~standard": { version: 1, vendor: "house", validate } };
}

/** A flow of two steps that make things in a list, and take them back. */
function flow(made: string[], broken: { step?: Error; undo?: Error } = {}): Workflow<unknown, number> {
  return workflow({
    type: "house",
    version: 1,
    input: schema((value): value is unknown => value !== undefined),
    output: schema((value): value is number => typeof value === "number"),
    run: async ({ step }) => {
      for (const name of ["a", "b"]) {
        await step(
          name,
          async ({ key }) => {
            made.push(`${name} ${key}`);
            if (name === "b" && broken.step !== undefined) throw broken.step;
            return name;
          },
          {
            undo: async ({ outcome }) => {
              if (name === "a" && broken.undo !== undefined) throw broken.undo;
              made.push(`undo ${name} ${outcome}`);
            },
          },
        );
      }
      return made.length;
    },
  });
}

/** The rules that control keeps for every provider, each with what would find it broken. */
export const controlCases: { readonly [Id in RuleId]?: () => Promise<void> } = {
  "LAUNCH-01": async () => {
    const { provider, world } = house();
    const store = memoryStore();
    const control = { store, clock: world.clock };
    const both = await Promise.allSettled([
      launch(provider, { ...SPEC, key: "k" }, control),
      launch(provider, { ...SPEC, key: "k" }, control),
    ]);
    const lost = both.find((outcome) => outcome.status === "rejected");
    assert.ok(lost !== undefined && isProviderError(lost.reason, "CONFLICT") && lost.reason.effect === "none");
    assert.equal(world.instances().length, 1);
  },
  "LAUNCH-02": async () => {
    const { provider, world } = house();
    const store = memoryStore();
    const control = { store, clock: world.clock, failpoint: dieAt("after-intent") };
    assert.ok((await failure(() => launch(provider, { ...SPEC, key: "k" }, control))) instanceof Killed);
    const [entry] = await allEntries(store);
    const record = entry?.record;
    assert.ok(record?.kind === "launch" && record.state === "intended");
    assert.equal(record.specHash, specHash({ ...SPEC, key: "k" }));
    assert.equal(world.instances().length, 0);
  },
  "LAUNCH-03": async () => await resumed((provider) => provider),
  "LAUNCH-04": async () => {
    await resumed((provider) => restrict(provider, "idempotentSpawn"));
    await arrivedLate();
  },
  "LAUNCH-05": async () => {
    const { world } = house();
    const store = memoryStore();
    const control = { store, clock: world.clock, leaseTimeoutMs: 600_000 };
    const launched = await Promise.all(
      Array.from({ length: 4 }, () => launch(memory({ owner: OWNER, world }), { ...SPEC, key: "k" }, control)),
    );
    assert.equal(new Set(launched.map(({ id }) => id)).size, 1);
    assert.equal(world.instances().length, 1);
    await cutOffPastExpiry(true);
    await cutOffPastExpiry(false);
  },
  "LAUNCH-06": async () => {
    const { provider, world } = house();
    const store = memoryStore();
    const control = { store, clock: world.clock };
    const expiresAt = new Date(world.clock.now() + 60_000).toISOString();
    const { id, terminateBy } = await launch(provider, { ...SPEC, key: "k", expiresAt }, control);
    assert.equal(Date.parse(terminateBy?.at ?? ""), Date.parse(expiresAt) + 900_000);
    const record = await store.read((await allEntries(store))[0]?.id ?? "");
    assert.ok(record?.kind === "launch");
    assert.equal(record.specHash, specHash({ ...SPEC, key: "k", expiresAt }));
    await world.clock.sleep(960_000 + (provider.limits.terminateLateMs ?? 0) + 1);
    assert.equal((await provider.get(id))?.status ?? "terminated", "terminated");
    const plain = await launch(
      restrict(provider, "terminateBy"),
      { ...SPEC, key: "l", expiresAt: "2199-12-31T23:59:59Z" },
      control,
    );
    assert.equal(plain.terminateBy, undefined);
  },
  "FLOW-02": async () => {
    const made: string[] = [];
    await runWorkflow(flow(made), null, { journal: memoryStore(), runId: "r", clock: simulatedClock() });
    const keys = [`a ${stepKey("house", "r", "a")}`, `b ${stepKey("house", "r", "b")}`];
    assert.deepEqual(made, keys);
    const another: string[] = [];
    const garden = { ...flow(another), type: "garden" };
    await runWorkflow(garden, null, { journal: memoryStore(), runId: "r", clock: simulatedClock() });
    assert.deepEqual(
      another.filter((each) => keys.includes(each)),
      [],
      "a run of another workflow under the same runId shares its keys",
    );
    const twice: Workflow<unknown, number> = {
      ...flow([]),
      run: async ({ step }) => {
        await step("same", async () => 1);
        return await step("same", async () => 2);
      },
    };
    const error = await failure(() => runWorkflow(twice, null, { journal: memoryStore(), clock: simulatedClock() }));
    assert.ok(isWorkflowError(error) && error.code === "DUPLICATE_STEP");
  },
  "FLOW-03": async () => {
    for (const [effect, undone] of [
      ["unknown", ["undo b unknown", "undo a done"]],
      ["none", ["undo a done"]],
    ] as const) {
      const made: string[] = [];
      const run = flow(made, { step: unclear(effect) });
      await failure(() => runWorkflow(run, null, { journal: memoryStore(), clock: simulatedClock() }));
      assert.deepEqual(made.slice(2), undone);
    }
  },
  "FLOW-04": async () => {
    const made: string[] = [];
    const run = flow(made, { step: unclear("unknown"), undo: new Error("no") });
    const error = await failure(() => runWorkflow(run, null, { journal: memoryStore(), clock: simulatedClock() }));
    assert.ok(isWorkflowError(error));
    assert.deepEqual(
      error.leftovers.map(({ step, outcome }) => [step, outcome]),
      [["a", "done"]],
    );
    assert.deepEqual(made.slice(2), ["undo b unknown"]);
  },
  "FLOW-05": async () => {
    const made: string[] = [];
    const options = { journal: memoryStore(), runId: "r", clock: simulatedClock() };
    const failpoint = (name: string): void => {
      if (name === "before:b") throw new Killed(name);
    };
    assert.ok((await failure(() => runWorkflow(flow(made), null, { ...options, failpoint }))) instanceof Killed);
    await runWorkflow(flow(made), null, options);
    assert.deepEqual(
      made.map((each) => each.slice(0, 1)),
      ["a", "b"],
    );
  },
  "FLOW-06": async () => {
    const clock = simulatedClock();
    const made: string[] = [];
    const slow: Workflow<unknown, number> = {
      ...flow(made),
      run: async ({ step, sleep }) => {
        await step("a", async () => made.push("a"), { undo: async () => void made.push("undo a") });
        await sleep(3_600_000);
        return 1;
      },
    };
    const late = await failure(() => runWorkflow(slow, null, { journal: memoryStore(), clock, maxDurationMs: 1_000 }));
    assert.ok(isWorkflowError(late) && late.code === "TIMED_OUT");
    const controller = new AbortController();
    const abort = clock.sleep(500).then(() => controller.abort());
    const run = runWorkflow(slow, null, { journal: memoryStore(), clock, signal: controller.signal });
    const cancelled = await failure(() => run);
    await abort;
    assert.ok(isWorkflowError(cancelled) && cancelled.code === "CANCELLED");
    assert.deepEqual(made, ["a", "undo a", "a", "undo a"]);
  },
};

/** A launch whose process died right after the spawn: the next one finds what it made. */
async function resumed(on: (provider: MemoryProvider) => Provider): Promise<void> {
  const { provider, world } = house();
  const store = memoryStore();
  const options = { ...SPEC, key: "k" };
  const killed = { store, clock: world.clock, failpoint: dieAt("after-spawn") };
  assert.ok((await failure(() => launch(on(provider), options, killed))) instanceof Killed);
  const again: Instance = await launch(on(memory({ owner: OWNER, world })), options, { store, clock: world.clock });
  assert.deepEqual(
    world.instances().map(({ nativeId }) => nativeId),
    [again.nativeId],
  );
}

/**
 * A process that is cut off from an expiring store past the expiry, while its request is under way: another one launches
 * the key meanwhile. `idempotent`: or else the remote takes every create for a new one.
 */
async function cutOffPastExpiry(idempotent: boolean): Promise<void> {
  const { provider, world } = house();
  const { store, reopen, expiry } = expiringFixture();
  assert.ok(reopen !== undefined && expiry !== undefined);
  const other = await reopen();
  const limits = { ...provider.limits, requestLifeMs: 0 };
  const plain: Provider = idempotent ? provider : { ...restrict(provider, "idempotentSpawn"), limits };
  const options = { ...SPEC, key: "k" };
  let first = "";
  const slow: Provider = {
    ...plain,
    spawn: async () => {
      await expiry.cutOff();
      await expiry.pass(2 * expiry.ms);
      first = (await launch(plain, options, { store: other, clock: world.clock })).id;
      await expiry.reconnect();
      // The remote knows its keys by itself; one that does not is emulated by a second key, shown as the first.
      if (idempotent) return await provider.spawn(options);
      return { ...(await provider.spawn({ ...options, key: "second" })), key: "k" };
    },
  };
  const answered: Instance = await launch(slow, options, { store, clock: world.clock });
  assert.equal(answered.id, first);
  await world.clock.sleep(60_000);
  assert.deepEqual(
    world.instances().flatMap(({ nativeId, live }) => (live ? [nativeId] : [])),
    [answered.nativeId],
  );
}

/** A request that was still under way when its process died, and arrives as late as the remote allows. */
async function arrivedLate(): Promise<void> {
  const { provider, world } = house();
  const limits = { ...provider.limits, requestLifeMs: 60_000 };
  const slow: Provider = { ...restrict(provider, "idempotentSpawn"), limits };
  const control = { store: memoryStore(), clock: world.clock };
  const options = { ...SPEC, key: "k" };
  const killed = { ...control, failpoint: dieAt("after-intent") };
  assert.ok((await failure(() => launch(slow, options, killed))) instanceof Killed);
  const late = world.clock.sleep(limits.requestLifeMs - 1_000).then(() => provider.spawn(options));
  const sendsNothing: Provider = { ...slow, spawn: async () => assert.fail("it was sent again") };
  const found = await launch(sendsNothing, options, control);
  assert.equal(found.id, (await late).id);
  assert.equal(world.instances().length, 1);
}
