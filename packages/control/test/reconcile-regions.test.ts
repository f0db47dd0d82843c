import { type MemoryWorld, memory, memoryWorld } from "@slipway/provider-memory";
import { beforeEach, expect, test } from "vitest";
import {
  allEntries,
  apply,
  launch,
  memoryStore,
  type ReconcilePlan,
  reap,
  reconcile,
  type Store,
  terminateAndConfirm,
} from "../src/index.ts";

const owner = "tests";
let world: MemoryWorld;
let store: Store;
let control: { readonly store: Store; readonly clock: MemoryWorld["clock"] };

beforeEach(() => {
  world = memoryWorld({ readAfterWriteMs: 0 });
  store = memoryStore();
  control = { store, clock: world.clock };
});

const everywhere = () => memory({ owner, world, regions: ["mem-east-1", "mem-west-1"] });
/** As a remote whose ids do not tell their region: a read of one that runs elsewhere finds nothing. */
const inTheEast = () => {
  const east = memory({ owner, world, regions: ["mem-east-1"] });
  return { ...east, get: async (id: string) => (id.startsWith("mem-west-1/") ? null : await east.get(id)) };
};
const alive = () => world.instances().filter(({ live }) => live).length;

test("a launch in a region that is not configured cannot be looked for: it is named, and never missing", async () => {
  const { id } = await launch(everywhere(), { key: "k", region: "mem-west-1" }, control);
  const plan = await reconcile(inTheEast(), control);
  expect(plan.items).toEqual([]);
  expect(plan.notLooked).toEqual([
    { instanceId: id, key: "k", region: "mem-west-1", reason: expect.stringContaining("cannot look") },
  ]);
  expect((await reconcile(everywhere(), control)).notLooked).toBeUndefined();
});

test("nor is it forgotten by a plan of another process", async () => {
  const { id } = await launch(everywhere(), { key: "k", region: "mem-west-1" }, control);
  const missing = { kind: "missing", instanceId: id, key: "k", reason: "not listed" } as const;
  const plan: ReconcilePlan = { ...(await reconcile(inTheEast(), control)), items: [missing] };
  expect(await apply(inTheEast(), plan, control)).toMatchObject([
    { outcome: "skipped", why: expect.stringContaining("cannot look") },
  ]);
  expect((await launch(everywhere(), { key: "k", region: "mem-west-1" }, control)).id).toBe(id);
  expect(alive()).toBe(1);
});

test("another instance under its key is nobody's orphan as long as it cannot be looked for", async () => {
  const { id } = await launch(everywhere(), { key: "k", region: "mem-west-1" }, control);
  const other = await launch(everywhere(), { key: "k" }, { store: memoryStore(), clock: world.clock }).catch(
    () => null,
  );
  const plan = await reconcile(inTheEast(), control);
  expect(plan.items).toEqual([]);
  if (other !== null && other.id !== id) {
    const orphan = { kind: "orphan", instanceId: other.id, key: "k", reason: "another process said so" } as const;
    expect(await apply(inTheEast(), { ...plan, items: [orphan] }, control)).toMatchObject([{ outcome: "skipped" }]);
  }
  expect(alive()).toBeGreaterThan(0);
});

test("what is gone in a region that is configured is missing as before", async () => {
  const { id } = await launch(everywhere(), { key: "k", region: "mem-east-1" }, control);
  await memory({ owner, world, regions: ["mem-east-1"] }).terminate(id);
  await world.clock.sleep(3_600_000);
  expect((await reconcile(inTheEast(), control)).items).toMatchObject([{ kind: "missing", instanceId: id }]);
});

test("launch does not take for gone what it cannot look for: it makes no second one", async () => {
  const { id } = await launch(everywhere(), { key: "k" }, { ...control, placements: [{ region: "mem-west-1" }] });
  const again = launch(inTheEast(), { key: "k" }, { ...control, placements: [{ region: "mem-east-1" }] });
  await expect(again).rejects.toMatchObject({
    code: "CONFLICT",
    effect: "none",
    native: { id },
    message: expect.stringContaining("cannot look"),
  });
  expect(alive()).toBe(1);
});

test("what cannot be looked for is not confirmed to be gone, and not forgotten", async () => {
  const { id } = await launch(everywhere(), { key: "k", region: "mem-west-1" }, control);
  // As a remote that says of an id that it does not know what it says of one that is gone.
  const east = { ...inTheEast(), terminate: async () => undefined };
  await expect(terminateAndConfirm(east, id, control)).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("cannot look"),
    native: { id },
  });
  expect(alive()).toBe(1);
  expect(await allEntries(store)).toHaveLength(1);
  await terminateAndConfirm(everywhere(), id, control);
  expect(await allEntries(store)).toEqual([]);
});

test("reap is not complete where something expired cannot be looked for", async () => {
  const expiresAt = new Date(world.clock.now() + 3_600_000).toISOString();
  const { id } = await launch(everywhere(), { key: "k", region: "mem-west-1", expiresAt }, control);
  expect(await reap([inTheEast()], control)).toMatchObject({ complete: true });
  await world.clock.sleep(2 * 3_600_000);
  const report = await reap([inTheEast()], control);
  expect(report).toMatchObject({ complete: false, providers: [{ instances: [], error: { native: { id } } }] });
  expect(await reap([everywhere()], control)).toMatchObject({ complete: true });
  expect(alive()).toBe(0);
});
