import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProviderError } from "@slipway/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { mostInADay } from "../src/budget/claim.ts";
import {
  type Budget,
  BudgetRefusal,
  fileStore,
  launch,
  launchAnywhere,
  memoryStore,
  type Store,
  spread,
  terminateAndConfirm,
} from "../src/index.ts";
import { cloudOf, offering } from "./anywhere-cloud.ts";
import { living, newWorld, plainProvider } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const HOUR = 3_600_000;

class Killed extends Error {}

function scene(store: Store = memoryStore()) {
  const clock = simulatedClock();
  const world = newWorld(clock);
  const provider = plainProvider(world, "tests");
  const start = (key: string, budget: Budget, more: object = {}, control: object = {}) =>
    launch(provider, { key, ...more }, { store, clock, budget, ...control });
  const inHours = (hours: number): string => new Date(clock.now() + hours * HOUR).toISOString();
  return { clock, world, provider, store, start, inHours };
}

async function refusal(call: Promise<unknown>): Promise<BudgetRefusal> {
  const error: unknown = await call.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (error instanceof BudgetRefusal) return error;
  throw error;
}

describe("the dearest day", () => {
  const claim = (usdPerHour: number, from: number, to: number | null, until: number | null = null) => ({
    ...{ id: "x", usdPerHour },
    ...{ from: from * HOUR, to: to === null ? null : to * HOUR, until: until === null ? null : until * HOUR },
  });
  test.each([
    ["nothing", [], 0],
    ["what runs on", [claim(1, 100, null)], 24],
    ["what has run for long costs a day no more than a day", [claim(1, 0, null)], 24],
    ["what ends by itself", [claim(1, 100, null, 103)], 3],
    ["what should have ended, and is not known to have", [claim(1, 90, null, 95)], 24],
    ["what ended", [claim(1, 90, 95)], 5],
    ["what ended, and what begins: in one day", [claim(2, 95, 100), claim(1, 100, null)], 2 * 5 + 19],
    ["what ended a day ago", [claim(9, 60, 76)], 0],
    ["what ended within a day, as far as it is within it", [claim(1, 60, 80)], 4],
  ])("%s", (_, claims, usd) => {
    expect(mostInADay(claims, 100 * HOUR)).toBeCloseTo(usd, 9);
  });
});

describe("launch with a budget", () => {
  test("refuses what would pass it, with what it would cost, and sends nothing", async () => {
    const { start, world } = scene();
    await start("a", { maxUsdPerDay: 50, usdPerHour: 1 });
    const error = await refusal(start("b", { maxUsdPerDay: 50, usdPerHour: 2 }));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none", usdPerDay: 72, maxUsdPerDay: 50 });
    expect(error.hint).toContain("raise the budget");
    expect(living(world)).toHaveLength(1);
    await start("c", { maxUsdPerDay: 50, usdPerHour: 1 });
    expect(living(world)).toHaveLength(2);
  });

  test("an unknown price is refused, and so is a budget that is none", async () => {
    const { start, world } = scene();
    for (const usdPerHour of [null, Number.NaN, -1]) {
      expect((await refusal(start("a", { maxUsdPerDay: 5, usdPerHour }))).usdPerDay).toBeNull();
    }
    for (const maxUsdPerDay of [0, -1, Number.NaN]) {
      await expect(start("a", { maxUsdPerDay, usdPerHour: 1 })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    }
    expect(world.requests).toEqual([]);
  });

  test("what expires costs until then, and what was terminated costs nothing more", async () => {
    const { start, store, provider, clock, inHours } = scene();
    const short = { expiresAt: inHours(2) };
    const budget = { maxUsdPerDay: 10.1, usdPerHour: 2 };
    const { id } = await start("a", budget, short);
    await start("b", budget, short);
    await refusal(start("c", budget, short));
    clock.advance(HOUR);
    await terminateAndConfirm(provider, id, { store, clock });
    // Two of a, four of b, and four of this one.
    await start("c", budget, { expiresAt: inHours(2) });
    await refusal(start("d", budget, { expiresAt: inHours(2) }));
    clock.advance(30 * HOUR);
    // b and c are past their time, and nobody has seen their end: they cost on.
    await refusal(start("d", budget, { expiresAt: inHours(2) }));
  });

  test("the end of another instance under the key ends no claim of the one that runs", async () => {
    const { start, store, provider, clock, world } = scene();
    const budget = { maxUsdPerDay: 30, usdPerHour: 1 };
    const extra = await launch(provider, { key: "a" }, { store: memoryStore(), clock });
    await start("a", budget);
    clock.advance(60_000);
    await terminateAndConfirm(provider, extra.id, { store, clock });
    expect(living(world)).toHaveLength(1);
    await refusal(start("b", budget));
  });

  test("a repeated launch is counted once, and one that made nothing is not counted", async () => {
    const { start, world } = scene();
    const budget = { maxUsdPerDay: 24, usdPerHour: 1 };
    world.spawnFaults.push("refused-capacity");
    await expect(start("no", budget)).rejects.toMatchObject({ code: "CAPACITY_ERROR" });
    await start("a", budget);
    await start("a", budget);
    expect(living(world)).toHaveLength(1);
  });

  test("killed between the claim and the intent, after the intent, and after the spawn: counted once", async () => {
    for (const point of ["before-intent", "after-intent", "after-spawn", "after-record"]) {
      const { start, world, clock } = scene();
      const budget = { maxUsdPerDay: 24, usdPerHour: 1 };
      const failpoint = (name: string): void => {
        if (name === point) throw new Killed();
      };
      await start("a", budget, {}, { failpoint }).catch(() => undefined);
      clock.advance(60_000);
      await start("a", budget);
      expect(living(world)).toHaveLength(1);
      await refusal(start("b", { maxUsdPerDay: 24, usdPerHour: 0.01 }));
    }
  });

  test.each([["memory"], ["file"]])("twenty at once in two processes over a %s store: never above it", async (kind) => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-budget-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const shared = memoryStore();
    const open = (): Store => (kind === "memory" ? shared : fileStore(directory));
    const first = scene(open());
    const second = open();
    const budget = { maxUsdPerDay: 24 * 5, usdPerHour: 1 };
    const calls = Array.from({ length: 20 }, (_, n) =>
      first.start(`k-${n}`, budget, {}, n % 2 === 0 ? {} : { store: second }),
    );
    const results = await Promise.allSettled(calls);
    const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
    expect(living(first.world).length).toBeLessThanOrEqual(5);
    expect(living(first.world).length + refused.length).toBe(20);
    for (const error of refused) expect(isProviderError(error)).toBe(true);
    if (kind === "memory") expect(living(first.world)).toHaveLength(5);
  });

  test("counts nothing under a lease that it lost, which another launch of the same store may hold by then", async () => {
    const { start, store, world } = scene();
    const lost: Store = {
      ...store,
      acquire: async (id) => {
        const lease = await store.acquire(id);
        return lease !== null && id.startsWith("budget:") ? { ...lease, held: () => false } : lease;
      },
    };
    const budget = { maxUsdPerDay: 24, usdPerHour: 1 };
    await expect(start("a", budget, {}, { store: lost })).rejects.toMatchObject({ code: "BUSY", effect: "none" });
    expect(await store.read("budget:tests")).toBeNull();
    expect(world.requests).toEqual([]);
    await start("b", budget);
  });

  test("counting takes no lease of another launch: whoever launches that one meanwhile would be refused for nothing", async () => {
    const { start, store, world } = scene();
    const budget = { maxUsdPerDay: 100, usdPerHour: 1 };
    await start("forgotten", budget);
    const lease = await store.acquire("launch:scripted::tests:forgotten");
    await store.remove("launch:scripted::tests:forgotten");
    if (lease !== null) await store.release(lease);
    world.spawnFaults.push("refused-capacity");
    await expect(start("refused", budget)).rejects.toMatchObject({ code: "CAPACITY_ERROR" });
    const write: Store["write"] = async (id, record) => {
      if (record.kind === "launch") throw new Killed();
      await store.write(id, record);
    };
    await expect(start("killed", budget, {}, { store: { ...store, write } })).rejects.toBeInstanceOf(Killed);
    const taken: string[] = [];
    const acquire: Store["acquire"] = (id) => {
      taken.push(id);
      return store.acquire(id);
    };
    await start("b", budget, {}, { store: { ...store, acquire } });
    expect(taken).toEqual(["launch:scripted::tests:b", "budget:tests"]);
  });

  test("one whose intent is slow to be written is counted by all others", async () => {
    const { start, store, world } = scene();
    const write: Store["write"] = async (id, record) => {
      if (record.kind === "launch") for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      await store.write(id, record);
    };
    const budget = { maxUsdPerDay: 24 * 3, usdPerHour: 1 };
    const slow = { store: { ...store, write } };
    const calls = Array.from({ length: 6 }, (_, n) => start(`k-${n}`, budget, {}, slow));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    expect(living(world)).toHaveLength(3);
  });

  test("sends nothing where the budget's lease is lost while the intent is written", async () => {
    const { start, store, world } = scene();
    let isLost = false;
    const losing: Store = {
      ...store,
      acquire: async (id) => {
        const lease = await store.acquire(id);
        return lease !== null && id.startsWith("budget:") ? { ...lease, held: () => !isLost } : lease;
      },
      write: async (id, record) => {
        await store.write(id, record);
        if (record.kind === "launch" && record.state === "intended") isLost = true;
      },
    };
    const budget = { maxUsdPerDay: 24, usdPerHour: 1 };
    await expect(start("a", budget, {}, { store: losing })).rejects.toMatchObject({ code: "BUSY", effect: "none" });
    expect(world.requests).toEqual([]);
    expect(await store.read("launch:scripted::tests:a")).toMatchObject({ state: "refused" });
    await start("b", budget);
  });

  test("a record that cannot be read refuses everything", async () => {
    const { start, store, world } = scene();
    const lease = await store.acquire("budget:tests");
    const at = "2026-01-01T00:00:00Z";
    await store.write("budget:tests", {
      kind: "budget",
      name: "tests",
      owner: "tests",
      state: "counting",
      at,
      data: 1,
    });
    if (lease !== null) await store.release(lease);
    await expect(start("a", { maxUsdPerDay: 5, usdPerHour: 0.1 })).rejects.toMatchObject({ code: "CORRUPT" });
    expect(world.requests).toEqual([]);
  });
});

describe("anywhere with a budget", () => {
  function market() {
    const clock = simulatedClock();
    const store = memoryStore();
    const clouds = [cloudOf("cheap", clock, 1), cloudOf("dear", clock, 3)];
    const providers = clouds.map(({ provider }) => provider);
    const alive = (): number => clouds.reduce((sum, { world }) => sum + living(world).length, 0);
    return { clock, store, clouds, providers, alive };
  }

  test("takes the price of the place, and is refused as a whole where every place is too dear", async () => {
    const { clock, store, providers, alive, clouds } = market();
    const control = { store, clock, maxUsdPerDay: 30 };
    await launchAnywhere(providers, { key: "a", gpu: { type: "a100" } }, control);
    const error = await refusal(launchAnywhere(providers, { key: "b", gpu: { type: "a100" } }, control));
    expect(error.usdPerDay).toBe(48);
    expect(alive()).toBe(1);
    for (const cloud of clouds) cloud.offerings = [offering(undefined)];
    expect((await refusal(launchAnywhere(providers, { key: "c", cpus: 1 }, control))).usdPerDay).toBeNull();
  });

  test("a spread keeps as many as the budget allows, or none", async () => {
    const { clock, store, providers, alive } = market();
    const control = { store, clock, maxUsdPerDay: 24 * 5 };
    const options = { key: "s", count: 8, gpu: { type: "a100" } };
    await expect(spread(providers, { ...options, minimum: 6 }, control)).rejects.toMatchObject({ leftovers: [] });
    expect(alive()).toBe(0);
    expect(
      (
        await spread(
          providers,
          { ...options, key: "t", minimum: 5, expiresAt: undefined },
          { ...control, maxUsdPerDay: 24 * 5 + 1 },
        )
      ).members,
    ).toHaveLength(5);
    expect(alive()).toBe(5);
  });
});
