import { memoryStore } from "@slipway/control";
import { orbstack } from "@slipway/provider-orbstack";
import { type ChaosPlan, chaos, chaosOf, orbstackWorld, printJournal } from "@slipway/provider-orbstack/chaos";
import { type OrbstackEmulator, orbstackEmulator } from "@slipway/provider-orbstack/emulator";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fleet } from "../src/fleet.ts";

const KEYS = ["web-1", "web-2", "web-3"];
const TURN_MS = 30_000;
const FAULTY_TURNS = 25;
const CALM_TURNS = 8;
// Two of the six that `npm run soak:suite` runs.
const SEEDS = (process.env["SLIPWAY_LOOP_SEEDS"] ?? "1,2").split(",").map(Number);

/** A bad week on a Mac, in one plan. */
const FAULT_PLAN: ChaosPlan = {
  faults: [
    { operation: "spawn", when: "reply-lost", probability: 0.2 },
    { operation: "spawn", when: "before", code: "CAPACITY_ERROR", probability: 0.1 },
    { operation: "terminate", when: "after", code: "TIMEOUT", probability: 0.2 },
    { operation: "list", when: "before", code: "UNAVAILABLE", probability: 0.1 },
    { operation: "list", when: "stale-read", probability: 0.2 },
    { operation: "get", when: "reply-lost", probability: 0.1 },
  ],
  constraints: { maxInstances: 4 },
  drift: [
    { operation: "get", action: "stop", probability: 0.1 },
    { operation: "list", action: "remove", probability: 0.2 },
    { operation: "get", action: "rename", probability: 0.05 },
    { operation: "list", action: "addUnmanaged", probability: 0.05 },
  ],
};

let mac: OrbstackEmulator;
beforeEach(() => {
  mac = orbstackEmulator();
});
afterEach(() => mac.close());

const calmProvider = () =>
  orbstack({ owner: "loop", variables: { HOME: "/home/loop" }, runtime: { exec: mac.exec, clock: mac.clock } });

const ours = async () => (await mac.control.machines()).filter(({ owner }) => owner === "loop");

test("it launches what should be there, and keeps it", async () => {
  const { turn, drain } = fleet({
    provider: calmProvider(),
    store: memoryStore(),
    keys: KEYS,
    script: "echo ready",
    clock: mac.clock,
  });
  const first = await turn();
  expect(first).toMatchObject({ replaced: [], failures: [] });
  expect((await turn()).running).toEqual(first.running);
  expect((await ours()).map(({ key }) => key)).toEqual(KEYS);
  expect(await drain()).toBe(0);
  expect(await mac.control.machines()).toEqual([]);
});

test("it replaces what was stopped or removed, leaves what was renamed, and ends what nobody asked for", async () => {
  const provider = calmProvider();
  const { turn } = fleet({ provider, store: memoryStore(), keys: KEYS, script: "echo ready", clock: mac.clock });
  const [stopped = "", removed = "", renamed = ""] = (await turn()).running;
  await mac.control.stop(stopped);
  await mac.control.remove(removed);
  await mac.control.rename(renamed, "my-favourite");
  const orphan = await provider.spawn({ key: "left by an older version" });
  const unmanaged = await mac.control.addUnmanaged("somebody-elses");
  await mac.clock.sleep(TURN_MS);
  expect((await turn()).replaced).toEqual([stopped]);
  await mac.clock.sleep(TURN_MS);
  const { running } = await turn();
  expect(running).toHaveLength(KEYS.length);
  expect(running).toContain(renamed);
  for (const gone of [stopped, removed, orphan.id]) expect(running).not.toContain(gone);
  const there = (await mac.control.machines()).map(({ nativeId }) => nativeId).toSorted();
  expect(there).toEqual([...running, unmanaged].toSorted());
});

describe.each(SEEDS)("with faults, seed %i", (seed) => {
  test("it never has two of a key, comes to rest when it is over, and leaves nothing", async () => {
    const { clock, control } = mac;
    const provider = chaos(calmProvider(), { seed, plan: FAULT_PLAN, clock, world: orbstackWorld(control) });
    const store = memoryStore();
    const faulty = fleet({ provider, store, keys: KEYS, script: "echo ready", clock });
    for (let at = 0; at < FAULTY_TURNS; at += 1) {
      await faulty.turn();
      const keys = (await ours()).map(({ key }) => key);
      expect(new Set(keys).size, printJournal(chaosOf(provider).journal)).toBe(keys.length);
      await clock.sleep(TURN_MS);
    }
    expect(chaosOf(provider).journal.entries.length).toBeGreaterThan(FAULTY_TURNS);

    const calm = fleet({ provider: calmProvider(), store, keys: KEYS, script: "echo ready", clock });
    let rest = await calm.turn();
    for (let at = 0; at < CALM_TURNS; at += 1) {
      await clock.sleep(TURN_MS);
      rest = await calm.turn();
    }
    expect(rest).toMatchObject({ replaced: [], failures: [] });
    expect((await ours()).map(({ key }) => key).toSorted()).toEqual(KEYS);
    expect((await ours()).map(({ nativeId }) => nativeId).toSorted()).toEqual(rest.running.toSorted());
    expect(await calm.drain()).toBe(0);
    expect(await ours()).toEqual([]);
  }, 120_000);
});
