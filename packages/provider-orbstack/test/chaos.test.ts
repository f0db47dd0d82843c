import { runConformance } from "@slipway/contract-tests";
import { describe, expect, test } from "vitest";
import {
  type ChaosPlan,
  type ChaosPlanWithoutDrift,
  chaos,
  chaosOf,
  orbstackWorld,
  printJournal,
  replay,
} from "../src/chaos/index.ts";
import { failure } from "./failure.ts";
import { orbstackHarness } from "./orbstack-harness.ts";
import { orbstackWorld as worldOf } from "./world.ts";

// `npm test`: one seed, and of the suite what a request that is sent again could make twice or lose. The whole suite with
// SLIPWAY_WHOLE_SUITE=1, as `npm run soak:suite` has it; more seeds with SLIPWAY_CHAOS_SEEDS=1,2,3.
const seeds = (process.env["SLIPWAY_CHAOS_SEEDS"] ?? "1").split(",").map(Number);
const GROUPS: readonly string[] = ["key", "spawn", "terminate", "list", "effect", "concurrency"];
const only =
  process.env["SLIPWAY_WHOLE_SUITE"] === "1"
    ? undefined
    : ({ group }: { readonly group: string }): boolean => GROUPS.includes(group);
const OFTEN = Number.POSITIVE_INFINITY;

/** What a provider has to bear without a word: late answers, stale reads, notices, unknown keys. */
const BEARABLE: ChaosPlanWithoutDrift = {
  staleReadMs: 4_000,
  faults: [
    { operation: "list", when: "stale-read", probability: 0.5 },
    { operation: "get", when: "stale-read", probability: 0.5 },
    { operation: "*", when: "delayed", delayMs: 700, probability: 0.2 },
  ],
};

test.each(seeds)(
  "the suite with all that has to be borne, seed %i",
  async (seed) => {
    const engineSettings = { banner: "stdout", extraFields: true, oldSchema: true, limitsInRecord: true } as const;
    const factory = orbstackHarness({ seed, engineSettings: { ...engineSettings, staleListMs: 1_900 } });
    const unruly = async () => {
      const harness = await factory();
      const { registration, clock } = harness;
      const provider = chaos(registration.provider, { seed, plan: BEARABLE, clock });
      return { ...harness, registration: { ...registration, provider } };
    };
    const report = await runConformance(unruly, { modes: ["plain"], only });
    const failed = report.results.filter(({ status }) => status === "failed");
    expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
    expect(report.passed).toBe(true);
  },
  240_000,
);

describe("the world drifts", () => {
  const plan = (action: "stop" | "remove" | "rename" | "changeAddress" | "addUnmanaged"): ChaosPlan => ({
    drift: [{ operation: "get", action, target: 1, calls: [2] }],
  });

  test.each([
    ["stop", { status: "stopped", addresses: {} }],
    ["rename", { status: "running", machineName: "renamed-1" }],
    ["changeAddress", { status: "running" }],
    ["addUnmanaged", { status: "running" }],
    ["remove", null],
  ] as const)("%s, and the provider sees it", async (action, seen) => {
    const world = worldOf();
    try {
      const options = { seed: 1, plan: plan(action), world: orbstackWorld(world.control), clock: world.clock };
      const unruly = chaos(world.provider, options);
      const { id } = await unruly.spawn({ key: "a" });
      const before = await unruly.get(id);
      // Until then what was just made counts as there, whatever one read says.
      await world.clock.sleep(world.provider.limits.readAfterWriteMs);
      const after = await unruly.get(id);
      if (seen === null) expect(after).toBeNull();
      else expect(after).toMatchObject({ id, ...seen });
      if (action === "changeAddress") expect(after?.addresses).not.toEqual(before?.addresses);
      if (action === "addUnmanaged") expect(await world.control.machines()).toHaveLength(2);
      expect(printJournal(chaosOf(unruly).journal)).toContain(`get (2): ${action}`);
    } finally {
      await world.close();
    }
  });

  test("a run is replayed from its journal", async () => {
    const run = async (seed: number, faultPlan: ChaosPlan): Promise<readonly string[]> => {
      const world = worldOf();
      try {
        const unruly = chaos(world.provider, {
          seed,
          plan: faultPlan,
          world: orbstackWorld(world.control),
          clock: world.clock,
        });
        const said: string[] = [];
        for (const key of ["a", "b", "c", "a", "b", "c"]) {
          const spawned = await unruly.spawn({ key }).then(
            ({ status }) => status,
            (error: { readonly code: string }) => error.code,
          );
          said.push(spawned, ...(await unruly.list()).map(({ status, machineName }) => `${status} ${machineName}`));
        }
        journals.push(chaosOf(unruly).journal);
        return said;
      } finally {
        await world.close();
      }
    };
    const journals: ReturnType<typeof chaosOf>["journal"][] = [];
    const faultPlan: ChaosPlan = {
      faults: [{ operation: "spawn", when: "reply-lost", probability: 0.4 }],
      drift: [
        { operation: "list", action: "stop", probability: 0.4 },
        { operation: "list", action: "rename", probability: 0.2 },
      ],
    };
    const first = await run(11, faultPlan);
    const [journal] = journals;
    if (journal === undefined) throw new Error("it kept no journal");
    expect(journal.entries.length).toBeGreaterThan(2);
    expect(await run(999, replay(journal))).toEqual(first);
    expect(await run(11, faultPlan)).toEqual(first);
  });
});

test("a Mac that answers badly for long never makes a second instance", async () => {
  const world = worldOf({ seed: 5 });
  try {
    world.control.faults.add(
      { operation: "create", when: "reply-lost", probability: 0.5, times: OFTEN },
      { operation: "info", when: "before", row: "services-late", probability: 0.5, times: OFTEN },
      { operation: "run", when: "reply-lost", probability: 0.3, times: OFTEN },
    );
    let spawned: string | undefined;
    for (let at = 0; at < 50 && spawned === undefined; at += 1) {
      const provider = world.another();
      const outcome = await provider.spawn({ key: "a" }).then(
        ({ id }) => ({ id, error: undefined }),
        async (error: unknown) => ({ id: undefined, error: await failure(Promise.reject(error)) }),
      );
      spawned = outcome.id;
      expect((await world.control.machines()).length).toBeLessThanOrEqual(1);
    }
    expect(await world.control.machines()).toMatchObject([{ nativeId: spawned, key: "a" }]);
  } finally {
    await world.close();
  }
});
