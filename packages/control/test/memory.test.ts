import { isProviderError, type RuntimeEvent, restrict, workflow } from "@slipway/core";
import { type MemoryWorld, memory, memoryWorld } from "@slipway/provider-memory";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  apply,
  findOrphans,
  isWorkflowError,
  type LaunchFailpoint,
  launch,
  memoryStore,
  reconcile,
  runWorkflow,
  type Store,
  terminateAndConfirm,
  waitForBootstrap,
  waitForStatus,
} from "../src/index.ts";

const owner = "tests";
let world: MemoryWorld;
let store: Store;
const alive = () => world.instances().filter(({ live }) => live);
const safe = () => memory({ owner, world });
/** The same remote, used as one that promises nothing. */
const unsafe = () => restrict(memory({ owner, world }), "idempotentSpawn");
const control = () => ({ store, clock: world.clock });

beforeEach(() => {
  world = memoryWorld({ readAfterWriteMs: 3000 });
  store = memoryStore();
});

describe.each([
  ["as it is", safe],
  ["without its promise", unsafe],
] as const)("launch over the model, %s", (_name, make) => {
  test.each(["before-intent", "after-intent", "after-spawn", "after-record"] as const)(
    "killed %s, and again: one instance",
    async (point: LaunchFailpoint) => {
      const failpoint = (name: LaunchFailpoint): void => {
        if (name === point) throw new Error("killed");
      };
      const bootstrap = { script: "echo hello", registrationToken: "one" };
      await expect(launch(make(), { key: "k", bootstrap }, { ...control(), failpoint })).rejects.toThrow("killed");
      const again = { ...bootstrap, registrationToken: "two" };
      const instance = await launch(make(), { key: "k", bootstrap: again }, control());
      expect(alive()).toMatchObject([{ nativeId: instance.nativeId, key: "k" }]);
      await world.clock.sleep(10_000);
      expect((await reconcile(make(), control())).items).toEqual([]);
    },
  );

  test.each(["after", "reply-lost"] as const)("a spawn that fails with %s is found", async (when) => {
    world.faults.add({ operation: "spawn", when });
    const events: RuntimeEvent[] = [];
    const onEvent = (event: RuntimeEvent) => events.push(event);
    const instance = await launch(make(), { key: "k" }, { ...control(), onEvent });
    expect(alive()).toMatchObject([{ nativeId: instance.nativeId }]);
    expect(events.filter(({ type }) => type === "launch.adopted")).toHaveLength(1);
  });

  test("fails over to where there is capacity", async () => {
    const [first, second] = world.settings.regions.map(({ id }) => id);
    world.setCapacity({ region: first, machines: 0 });
    const placements = [{ region: first }, { region: second }];
    const instance = await launch(make(), { key: "k" }, { ...control(), placements });
    expect(instance.region).toBe(second);
    expect(alive()).toHaveLength(1);
  });

  test("lives through: launch, wait, terminate, confirm, launch again", async () => {
    const first = await launch(make(), { key: "k", bootstrap: { script: "true" } }, control());
    expect((await waitForStatus(make(), first.id, "running", control())).status).toBe("running");
    expect((await waitForBootstrap(make(), first.id, control())).bootstrap).toEqual({
      state: "succeeded",
      exitCode: 0,
    });
    await terminateAndConfirm(make(), first.id, control());
    expect(alive()).toEqual([]);
    const second = await launch(make(), { key: "k", bootstrap: { script: "true" } }, control());
    expect(second.id).not.toBe(first.id);
    expect(alive()).toHaveLength(1);
  });
});

test("a bootstrap that fails shows what it printed", async () => {
  world = memoryWorld({ runBootstrap: () => ({ exitCode: 3, output: ["apt-get: command not found"] }) });
  const { id } = await launch(safe(), { key: "k", bootstrap: { script: "exit 3" } }, control());
  const waits = [() => waitForBootstrap(safe(), id, control()), () => waitForStatus(safe(), id, "stopped", control())];
  for (const wait of waits) {
    const error: unknown = await wait().catch((reason: unknown) => reason);
    expect(isProviderError(error, "INVALID_STATE")).toBe(true);
    expect(String(error)).toContain("apt-get: command not found");
  }
});

test("many at once with one key and no store at all: the model's own promise", async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => launch(safe(), { key: "k" }, { clock: world.clock })));
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  expect(alive()).toHaveLength(1);
});

test("an instance that was crashed is missing, one that was spawned by hand is an orphan", async () => {
  const lost = await launch(safe(), { key: "lost" }, control());
  await safe().spawn({ key: "by-hand" });
  await memory({ owner: "else", world }).spawn({ key: "not-ours" });
  await waitForStatus(safe(), lost.id, "running", control());
  world.crash(lost.nativeId);
  await world.clock.sleep(10_000);
  const plan = await reconcile(safe(), control());
  expect(plan.items.map(({ kind, key }) => [kind, key])).toEqual([
    ["orphan", "by-hand"],
    ["missing", "lost"],
  ]);
  await apply(safe(), plan, control());
  await world.clock.sleep(10_000);
  expect(await findOrphans(safe(), control())).toEqual([]);
  expect(alive()).toMatchObject([{ owner: "else" }]);
});

test("a workflow over launch leaves nothing when its last step fails", async () => {
  const pair = workflow({
    type: "pair",
    version: 1,
    input: z.object({ count: z.number() }),
    output: z.array(z.string()),
    run: async ({ step, sleep }, { count }) => {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) {
        ids.push(
          await step(
            `launch ${index}`,
            async ({ key, signal }) => (await launch(unsafe(), { key }, { ...control(), signal })).id,
            {
              undo: async ({ result, key, signal }) => {
                const found = await unsafe().list({ keys: [key] });
                const ids = new Set([...found.map(({ id }) => id), ...(result === undefined ? [] : [result])]);
                for (const id of ids) await terminateAndConfirm(unsafe(), id, { ...control(), signal });
              },
            },
          ),
        );
        await sleep(1000);
      }
      return ids;
    },
  });
  world.setQuotas({ machines: 2 });
  const options = { journal: store, clock: world.clock, runId: "r" };
  const error: unknown = await runWorkflow(pair, { count: 3 }, options).catch((reason: unknown) => reason);
  expect(isWorkflowError(error, "FAILED")).toBe(true);
  expect(error).toMatchObject({ leftovers: [], cause: { code: "QUOTA_EXCEEDED" } });
  expect(alive()).toEqual([]);
});
