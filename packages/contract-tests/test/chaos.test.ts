import { isProviderError, mayRepeat, type ProviderError } from "@slipway/core";
import { type ChaosPlan, chaos, chaosOf, printJournal, replay } from "@slipway/provider-kit/chaos";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { type MemoryProvider, type MemoryWorld, memory, memoryWorld } from "@slipway/provider-memory";
import { describe, expect, test } from "vitest";
import type { HarnessFactory } from "../src/harness.ts";
import { runConformance } from "../src/run.ts";
import { memoryHarness } from "./memory-harness.ts";

const KEYS = ["a", "b", "c", "d", "e"];
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1);

const FAULTS: NonNullable<ChaosPlan["faults"]> = [
  { operation: "spawn", when: "reply-lost", probability: 0.15 },
  { operation: "spawn", when: "after", code: "UNAVAILABLE", probability: 0.1 },
  { operation: "terminate", when: "after", code: "TIMEOUT", probability: 0.2 },
  { operation: "*", when: "before", code: "RATE_LIMIT_ERROR", retryAfterMs: 300, probability: 0.1 },
  { operation: "*", when: "before", code: "CAPACITY_ERROR", probability: 0.05 },
  { operation: "list", when: "stale-read", probability: 0.3 },
  { operation: "get", when: "stale-read", probability: 0.3 },
  { operation: "*", when: "delayed", delayMs: 900, probability: 0.1 },
];
const FAULT_PLAN: ChaosPlan = { staleReadMs: 2_000, faults: FAULTS, constraints: { maxInstances: 4, bootMs: 5_000 } };
const DRIFTING: ChaosPlan = {
  ...FAULT_PLAN,
  drift: [
    { operation: "list", action: "remove", probability: 0.05 },
    { operation: "get", action: "stop", probability: 0.05 },
    { operation: "*", action: "addUnmanaged", probability: 0.03 },
    { operation: "get", action: "changeAddress", probability: 0.1 },
  ],
};

interface Run {
  readonly world: MemoryWorld;
  readonly provider: MemoryProvider;
}

function begin(plan: ChaosPlan, seed: number): Run {
  const world = memoryWorld({ seed: 7, readAfterWriteMs: 500, pageSize: 2, creation: "two-step" });
  return { world, provider: chaos(memory({ owner: "ci", world }), { seed, plan, world, clock: world.clock }) };
}

type Outcome = { readonly value: unknown } | { readonly error: ProviderError };

/** What a call came to; only a ProviderError may come out of it. */
async function outcome(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await call };
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return { error };
  }
}

/** Random work, one call after the other; `each` looks at what every call came to. */
async function work(
  { world, provider }: Run,
  seed: number,
  each: (operation: string, came: Outcome, changed: boolean) => void,
): Promise<void> {
  const random = seededRandom(seed);
  const known: string[] = [];
  for (let step = 0; step < 80; step += 1) {
    const key = KEYS[random.whole(KEYS.length)] ?? "a";
    const id = known[random.whole(known.length)] ?? "mem-000000000000";
    const [operation, call] = (
      [
        ["spawn", () => provider.spawn({ key })],
        ["spawn", () => provider.spawn({ key, timeoutMs: 400 })],
        ["get", () => provider.get(id)],
        ["list", () => provider.list()],
        ["terminate", () => provider.terminate(id)],
      ] as const
    )[random.whole(5)] ?? ["list", () => provider.list()];
    const before = world.changes;
    const came = await outcome(call());
    each(operation, came, world.changes !== before);
    if ("value" in came && operation === "spawn") known.push((came.value as { readonly id: string }).id);
    if (random.next() < 0.3) await world.clock.sleep(random.whole(8_000));
  }
}

const live = (world: MemoryWorld) => world.instances().filter((each) => each.live && each.owner === "ci");

describe.each(SEEDS)("with faults, seed %d", (seed) => {
  test("every effect is true, and no key has two instances", async () => {
    const run = begin(FAULT_PLAN, seed);
    const seen = { none: 0, unknown: 0, applied: 0 };
    await work(run, seed, (operation, came, changed) => {
      // One that is ending has left its key to the next.
      const keys = live(run.world).flatMap(({ key, state }) => (state === "deleting" ? [] : [key]));
      expect(new Set(keys).size).toBe(keys.length);
      if (!("error" in came)) return;
      seen[came.error.effect] += 1;
      expect(came.error).toMatchObject({ provider: "memory", operation });
      if (came.error.effect === "none") expect(changed, `${operation} ${came.error.code}`).toBe(false);
      if (came.error.effect === "applied") expect(changed).toBe(true);
    });
    expect(seen.none).toBeGreaterThan(0);
    expect(seen.unknown).toBeGreaterThan(0);
  });

  test("who follows the rules of mayRepeat gets each key once, and all of it away again", async () => {
    const { world, provider } = begin({ ...FAULT_PLAN, constraints: { bootMs: 5_000 } }, seed);
    const insist = async <T>(call: () => Promise<T>): Promise<T> => {
      for (let attempt = 0; ; attempt += 1) {
        const came = await outcome(call());
        if (!("error" in came)) return came.value as T;
        if (attempt === 200 || !mayRepeat(came.error, provider)) throw came.error;
        await world.clock.sleep(came.error.retryAfterMs ?? 100);
      }
    };
    const made = await Promise.all(KEYS.map((key) => insist(() => provider.spawn({ key }))));
    expect(
      live(world)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(KEYS);
    await Promise.all(made.map(({ id }) => insist(() => provider.terminate(id))));
    await world.clock.sleep(60_000);
    expect(live(world)).toEqual([]);
    expect(await insist(() => provider.list())).toEqual([]);
  });

  test("with drift it is replayed exactly from its journal", async () => {
    const told = async (run: Run) => {
      const lines: string[] = [];
      await work(run, seed, (operation, came) => {
        lines.push(
          `${operation} ${"error" in came ? `${came.error.code} ${came.error.effect}` : JSON.stringify(came.value)}`,
        );
      });
      return { lines, world: run.world.instances(), journal: chaosOf(run.provider).journal };
    };
    const first = await told(begin(DRIFTING, seed));
    const again = await told(begin(replay(first.journal), 0));
    expect(again.lines).toEqual(first.lines);
    expect(again.world).toEqual(first.world);
    expect(printJournal(again.journal).split("\n").slice(1)).toEqual(printJournal(first.journal).split("\n").slice(1));
  });
});

/** The suite's harness with chaos around the provider under test. */
function under(plan: Omit<ChaosPlan, "drift">, seed: number): HarnessFactory {
  const harness = memoryHarness({ readAfterWriteMs: 500 });
  return async () => {
    const made = await harness();
    const { registration, clock } = made;
    return {
      ...made,
      registration: { ...registration, provider: chaos(registration.provider, { seed, plan, clock }) },
    };
  };
}

describe("what only makes a remote worse keeps the contract: the whole suite passes", () => {
  test.each<[string, Omit<ChaosPlan, "drift">]>([
    ["nothing at all", {}],
    ["every read as late as it may be", { staleReadMs: 4_000, faults: [{ operation: "*", when: "stale-read" }] }],
    ["slow boots", { constraints: { bootMs: 45_000 } }],
    [
      "capacity for a hundred",
      { constraints: { maxInstances: 100, cpus: 10_000, memoryBytes: Number.MAX_SAFE_INTEGER } },
    ],
  ])("%s", async (_, plan) => {
    const report = await runConformance(under(plan, 3), { modes: ["plain"] });
    const failed = report.results
      .filter(({ status }) => status === "failed")
      .map(({ id, reason }) => `${id}: ${reason}`);
    expect(failed).toEqual([]);
    expect(report.passed).toBe(true);
  });
});
