import { ProviderError } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  allEntries,
  apply,
  findOrphans,
  launch,
  launchId,
  memoryStore,
  type PlanItem,
  type ReconcilePlan,
  reconcile,
  recordId,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreErrorCode,
  terminateAndConfirm,
} from "../src/index.ts";
import { living, newWorld, type PlainProvider, plainProvider, setStatus, type World } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

let clock: SimulatedClock;
let world: World;
let provider: PlainProvider;
let store: Store;
let options: { store: Store; clock: SimulatedClock };

beforeEach(() => {
  clock = simulatedClock();
  world = newWorld(clock);
  provider = plainProvider(world);
  store = memoryStore();
  options = { store, clock };
});

const start = (key: string, more: object = {}) => launch(provider, { key, ...more }, options);
const settleReads = () => clock.advance(2 * world.lagMs);
const recordIdOf = (key: string) => launchId({ provider: "scripted", account: "", owner: "tests", key });
const recordOf = (key: string) => store.read(recordIdOf(key));
async function put(id: string, record: StoredRecord): Promise<void> {
  const lease = await store.acquire(id);
  await store.write(id, record);
  if (lease !== null) await store.release(lease);
}
/** The store with one record that cannot be read. */
function spoiled(key: string, code: StoreErrorCode): Store {
  const fail = (): never => {
    throw new StoreError(code, { message: "it cannot be read", hint: "Look at it." });
  };
  return {
    ...store,
    read: async (id) => (id === recordIdOf(key) ? fail() : store.read(id)),
    entries: async function* (filter) {
      for await (const entry of store.entries(filter)) if (entry.id !== recordIdOf(key)) yield entry;
      fail();
    },
  };
}
const brief = (plan: ReconcilePlan) => plan.items.map(({ kind, instanceId }: PlanItem) => [kind, instanceId]);

describe("the plan", () => {
  test("is empty where all is well, also right after a launch", async () => {
    await start("a");
    expect(brief(await reconcile(provider, options))).toEqual([]);
    settleReads();
    expect(brief(await reconcile(provider, options))).toEqual([]);
  });

  test("is plain data that survives JSON", async () => {
    await provider.spawn({ key: "orphan", expiresAt: "2025-01-01T00:00:00Z" });
    const { id } = await start("a", { labels: { team: "x" } });
    settleReads();
    setStatus(world, id, "error");
    settleReads();
    const plan = await reconcile(provider, options);
    expect(new Set(plan.items.map(({ kind }) => kind))).toEqual(new Set(["orphan", "expired", "drifted"]));
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  test("orphan: nobody who uses the store launched it", async () => {
    const { id } = await provider.spawn({ key: "orphan" });
    await start("a");
    settleReads();
    expect(brief(await reconcile(provider, options))).toEqual([["orphan", id]]);
    expect(await findOrphans(provider, options)).toMatchObject([{ kind: "orphan", instanceId: id, key: "orphan" }]);
    expect(living(world)).toHaveLength(2);
  });

  test("a launch that is not finished is no orphan", async () => {
    const failpoint = (name: string) => {
      if (name === "after-spawn") throw new Error("killed");
    };
    await launch(provider, { key: "a" }, { ...options, failpoint }).catch(() => undefined);
    settleReads();
    expect(brief(await reconcile(provider, options))).toEqual([]);
  });

  test("a launch that begins during the listing is no orphan", async () => {
    const slow = { ...provider, list: async () => [await start("meanwhile")] };
    expect(brief(await reconcile(slow, options))).toEqual([]);
  });

  test("missing: the store has it, the remote does not, and reads had time to show it", async () => {
    const { id } = await start("a");
    world.machines.delete(id);
    const before = clock.now();
    expect(brief(await reconcile(provider, options))).toEqual([["missing", id]]);
    expect(clock.now() - before).toBe(world.lagMs);
  });

  test("duplicate: the store's own one stays", async () => {
    const other = await provider.spawn({ key: "a" });
    const { id } = await start("a");
    settleReads();
    const plan = await reconcile(provider, options);
    expect(plan.items).toMatchObject([{ kind: "duplicate", instanceId: other.id, keep: id }]);
  });

  test("expired: also where only the store knows the time", async () => {
    const expiresAt = new Date(clock.now() + 60_000).toISOString();
    const { id } = await start("a", { expiresAt });
    setStatus(world, id, "running", { expiresAt: undefined } as object);
    settleReads();
    expect(brief(await reconcile(provider, options))).toEqual([]);
    clock.advance(60_000);
    expect(brief(await reconcile(provider, options))).toEqual([["expired", id]]);
  });

  test("drifted: what differs from the request, and nothing that the remote does not tell", async () => {
    const { id } = await start("a", { spec: "small", labels: { team: "x", tier: "1" } });
    settleReads();
    setStatus(world, id, "running", { spec: "big", labels: { team: "x" } });
    const plan = await reconcile(provider, options);
    expect(plan.items).toMatchObject([
      {
        kind: "drifted",
        differences: [
          { field: "spec", expected: "small", actual: "big" },
          { field: "labels.tier", expected: "1", actual: null },
        ],
      },
    ]);
  });

  test("other providers', owners' and accounts' records are left alone", async () => {
    await start("a");
    await launch(provider, { key: "b" }, { ...options, account: "other" });
    await launch(plainProvider(world, "else"), { key: "c" }, options);
    world.machines.clear();
    settleReads();
    expect((await reconcile(provider, options)).items).toMatchObject([{ kind: "missing", key: "a" }]);
  });

  test("records of other kinds are left alone, also under a name that a launch could have", async () => {
    await start("a");
    const at = "2026-01-01T00:00:00.000Z";
    for (const kind of ["report", "pool", "anywhere", "idle", "spread", "budget"] as const) {
      const one = {
        kind,
        name: "a",
        owner: "tests",
        provider: "scripted",
        account: "",
        state: "launched",
        at,
        data: {},
      };
      await put(recordId(kind, "tests", "a"), one);
    }
    settleReads();
    expect((await reconcile(provider, options)).items).toEqual([]);
  });

  test("an instance that was confirmed ended is not missing, and its key launches anew", async () => {
    const { id } = await start("a");
    await terminateAndConfirm(provider, id, { ...options, record: "keep" });
    expect(await recordOf("a")).toMatchObject({ state: "ended", instanceId: id });
    expect((await reconcile(provider, options)).items).toEqual([]);
    const next = await start("a");
    expect(next.id).not.toBe(id);
    expect(await recordOf("a")).toMatchObject({ state: "launched", attempt: 2, gone: [id] });
  });

  test("an instance whose record says that it has ended, and that lives, is an orphan", async () => {
    const { id } = await start("a");
    const record = await recordOf("a");
    if (record?.kind === "launch") await put(recordIdOf("a"), { ...record, state: "ended" });
    settleReads();
    const plan = await reconcile(provider, options);
    expect(brief(plan)).toEqual([["orphan", id]]);
    expect((await apply(provider, plan, options)).map(({ outcome }) => outcome)).toEqual(["terminated"]);
  });

  test("a plan does not grow with what was confirmed ended", async () => {
    for (const key of ["a", "b", "c"]) await terminateAndConfirm(provider, (await start(key)).id, options);
    expect((await reconcile(provider, options)).items).toEqual([]);
    expect(await allEntries(store)).toEqual([]);
  });

  test("a record of another instance, and one that a process works on, stay when an end is confirmed", async () => {
    const other = await provider.spawn({ key: "a" });
    const { id } = await start("a");
    await terminateAndConfirm(provider, other.id, options);
    expect(await recordOf("a")).toMatchObject({ state: "launched", instanceId: id });
    await store.acquire(recordIdOf("a"));
    await terminateAndConfirm(provider, id, options);
    expect(await recordOf("a")).toMatchObject({ state: "launched", instanceId: id });
  });

  test("a store that cannot be written does not make a failure of a confirmed end", async () => {
    const { id } = await start("a");
    const remove = async (): Promise<never> => {
      throw new StoreError("UNAVAILABLE", { message: "down", hint: "Wait." });
    };
    await terminateAndConfirm(provider, id, { ...options, store: { ...store, remove } });
    expect(brief(await reconcile(provider, options))).toEqual([["missing", id]]);
  });

  test("a record that cannot be read hides no other: the plan is what is certain without it, and names it", async () => {
    const unread = await start("unread");
    const lost = await start("lost");
    const orphan = await provider.spawn({ key: "orphan" });
    const keyless = await provider.spawn({ key: "unread" });
    settleReads();
    world.machines.delete(lost.id);
    const plan = await reconcile(provider, { ...options, store: spoiled("unread", "CORRUPT") });
    expect(brief(plan)).toEqual([
      ["orphan", orphan.id],
      ["missing", lost.id],
    ]);
    expect(plan.unread).toEqual({ code: "CORRUPT", message: "it cannot be read", hint: "Look at it." });
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect((await reconcile(provider, { ...options, store: spoiled("unread", "FORMAT") })).unread?.code).toBe("FORMAT");
    // What is left out is there once it can be read again.
    const whole = await reconcile(provider, options);
    expect(whole.unread).toBeUndefined();
    expect(whole.items).toContainEqual(expect.objectContaining({ kind: "duplicate", keep: unread.id }));
    expect(living(world, "unread").map(({ id }) => id)).toEqual([unread.id, keyless.id]);
  });

  test("a store that fails otherwise is no plan", async () => {
    const broken = reconcile(provider, { ...options, store: spoiled("a", "IO") });
    await expect(broken).rejects.toMatchObject({ code: "IO" });
  });

  test("a listing that fails is no plan", async () => {
    world.readFaults.push(
      new ProviderError("UNAVAILABLE", { message: "down", provider: "scripted", operation: "list", effect: "none" }),
    );
    await expect(reconcile(provider, options)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("clocks that differ", () => {
  /** This test's time as another machine tells it. */
  const off = (ms: number) => ({ ...clock, now: () => clock.now() + ms });

  test.each([-600_000, -35_000, 35_000, 600_000])(
    "a launch by a machine whose clock is %i ms off is neither missing nor forgotten, however late reads are",
    async (ms) => {
      const { id } = await launch(provider, { key: "a" }, { store, clock: off(ms) });
      const plan = await reconcile(provider, options);
      expect(plan.items).toEqual([]);
      const forged: ReconcilePlan = {
        ...plan,
        items: [{ kind: "missing", instanceId: id, key: "a", reason: "another machine did not see it" }],
      };
      await launch(provider, { key: "b" }, { store, clock: off(ms) });
      expect((await apply(provider, forged, options)).map(({ outcome }) => outcome)).toEqual(["skipped"]);
      expect((await reconcile(provider, options)).items).toEqual([]);
    },
  );

  test("apply itself sees one missing for a whole read lag before it forgets it", async () => {
    const { id } = await launch(provider, { key: "a" }, { store, clock: off(-600_000) });
    const items = [{ kind: "missing", instanceId: id, key: "a", reason: "a listing that lagged" }] as const;
    const plan: ReconcilePlan = { ...(await reconcile(provider, options)), items };
    setStatus(world, id, "running");
    const remote = world.machines.get(id);
    if (remote !== undefined) remote.shownAt = clock.now() + world.lagMs;
    expect((await apply(provider, plan, options)).map(({ outcome }) => outcome)).toEqual(["skipped"]);
  });

  test("a machine whose clock is ahead does not end what has expired on its clock alone", async () => {
    const { id } = await start("a", { expiresAt: new Date(clock.now() + 60_000).toISOString() });
    settleReads();
    const ahead = { store, clock: off(600_000) };
    const plan = await reconcile(provider, ahead);
    expect(brief(plan)).toEqual([["expired", id]]);
    expect((await apply(provider, plan, ahead)).map(({ outcome }) => outcome)).toEqual(["skipped"]);
    clock.advance(60_000);
    expect((await apply(provider, plan, ahead)).map(({ outcome }) => outcome)).toEqual(["terminated"]);
  });
});

describe("apply", () => {
  const outcomes = async (plan: ReconcilePlan, more: object = {}) =>
    (await apply(provider, plan, { ...options, ...more })).map(({ item, outcome }) => [item.kind, outcome]);

  test("terminates orphans, duplicates and expired ones, forgets missing ones, leaves drifted ones", async () => {
    await provider.spawn({ key: "orphan" });
    await provider.spawn({ key: "twice" });
    const kept = await start("twice");
    await start("old", { expiresAt: new Date(clock.now() + 1000).toISOString() });
    const lost = await start("lost");
    const broken = await start("broken");
    settleReads();
    world.machines.delete(lost.id);
    setStatus(world, broken.id, "error");
    settleReads();
    const plan = await reconcile(provider, options);
    expect(await outcomes(plan, { expiryMarginMs: 0 })).toEqual([
      ["orphan", "terminated"],
      ["duplicate", "terminated"],
      ["expired", "terminated"],
      ["missing", "forgotten"],
      ["drifted", "skipped"],
    ]);
    expect(
      living(world)
        .map(({ id }) => id)
        .sort(),
    ).toEqual([broken.id, kept.id].sort());
    settleReads();
    expect(await outcomes(plan, { only: ["orphan", "duplicate", "missing"] })).toEqual([
      ["orphan", "gone"],
      ["duplicate", "gone"],
      ["missing", "gone"],
    ]);
  });

  test("looks again: an orphan that was adopted since is left", async () => {
    const { id } = await provider.spawn({ key: "a" });
    settleReads();
    const plan = await reconcile(provider, options);
    const failpoint = (name: string) => {
      if (name === "after-intent") throw new Error("killed");
    };
    await launch(provider, { key: "a" }, { ...options, failpoint }).catch(() => undefined);
    expect(await outcomes(plan)).toEqual([["orphan", "skipped"]]);
    expect((await start("a")).id).toBe(id);
    expect(await outcomes(plan)).toEqual([["orphan", "skipped"]]);
    expect(living(world)).toHaveLength(1);
  });

  test("looks again: a duplicate whose other half is gone is left", async () => {
    await provider.spawn({ key: "a" });
    const { id } = await start("a");
    settleReads();
    const plan = await reconcile(provider, options);
    setStatus(world, id, "terminated");
    settleReads();
    expect(await outcomes(plan)).toEqual([["duplicate", "skipped"]]);
    expect(living(world)).toHaveLength(1);
  });

  test("looks again: one that got more time, and one that came back, are left", async () => {
    const old = await start("old", { expiresAt: new Date(clock.now() + 1000).toISOString() });
    const lost = await start("lost");
    settleReads();
    const remote = world.machines.get(lost.id);
    world.machines.delete(lost.id);
    const plan = await reconcile(provider, options);
    setStatus(world, old.id, "running", { expiresAt: "2030-01-01T00:00:00Z" });
    if (remote !== undefined) world.machines.set(lost.id, remote);
    expect(await outcomes(plan)).toEqual([
      ["expired", "skipped"],
      ["missing", "skipped"],
    ]);
  });

  test("a key that another process works on is skipped, and gives its lease back otherwise", async () => {
    await provider.spawn({ key: "orphan" });
    settleReads();
    const plan = await reconcile(provider, options);
    const id = launchId({ provider: "scripted", account: "", owner: "tests", key: "orphan" });
    const lease = await store.acquire(id);
    expect(await outcomes(plan)).toEqual([["orphan", "skipped"]]);
    if (lease !== null) await store.release(lease);
    expect(await outcomes(plan)).toEqual([["orphan", "terminated"]]);
    expect(await store.acquire(id)).not.toBeNull();
  });

  test("one failure does not stop the others", async () => {
    await provider.spawn({ key: "one" });
    await provider.spawn({ key: "two" });
    settleReads();
    const plan = await reconcile(provider, options);
    world.terminateFaults.push(new Error("no"));
    const results = await apply(provider, plan, options);
    expect(results.map(({ outcome }) => outcome)).toEqual(["failed", "terminated"]);
    expect(results[0]).toMatchObject({ error: { code: "INTERNAL", effect: "unknown" } });
  });

  test("once cancelled the rest is skipped", async () => {
    await provider.spawn({ key: "one" });
    settleReads();
    const plan = await reconcile(provider, options);
    expect(await outcomes(plan, { signal: AbortSignal.abort() })).toEqual([["orphan", "skipped"]]);
    expect(living(world)).toHaveLength(1);
  });

  test("a plan for another owner is refused", async () => {
    const plan = await reconcile(plainProvider(world, "else"), options);
    await expect(apply(provider, plan, options)).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });
});
