import { runConformance } from "@slipway/contract-tests";
import { isProviderError, type ProviderError } from "@slipway/core";
import { chaos } from "@slipway/provider-kit/chaos";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import type { LambdaEmulator } from "../emulator/index.ts";
import { lambdaHarness } from "./lambda-harness.ts";
import { lambdaWorld } from "./world.ts";

// `npm test`: one seed, and of the suite what a request that is sent again could make twice or lose. The whole suite with
// SLIPWAY_WHOLE_SUITE=1, as `npm run soak:suite` has it; more seeds with SLIPWAY_CHAOS_SEEDS=1,2,3.
const SEEDS = (process.env["SLIPWAY_CHAOS_SEEDS"] ?? "1").split(",").map(Number);
const GROUPS: readonly string[] = ["key", "spawn", "terminate", "list", "effect", "concurrency"];
const only =
  process.env["SLIPWAY_WHOLE_SUITE"] === "1"
    ? undefined
    : ({ group }: { readonly group: string }): boolean => GROUPS.includes(group);

const page = (status: number): Response =>
  new Response("<!DOCTYPE html>", { status, headers: { "content-type": "text/html" } });
const reset = (): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });

/** A wire on which a provider has to keep the whole contract: whatever goes wrong can be tried again. */
function roughWire(seed: number): (emulator: LambdaEmulator) => typeof globalThis.fetch {
  return ({ fetch, clock }) => {
    const random = seededRandom(seed);
    return async (input, init) => {
      const reads = init?.method === "GET";
      const roll = random.next();
      if (roll < 0.05) return page(429);
      if (reads && roll < 0.12) return page(503);
      if (roll > 0.9) await clock.sleep(random.whole(400), init?.signal ?? undefined);
      const response = await fetch(input, init);
      if (reads && roll < 0.2) throw reset();
      return response;
    };
  };
}

describe("the suite on a rough wire", () => {
  test.each(SEEDS)(
    "seed %i",
    async (seed) => {
      const report = await runConformance(lambdaHarness({}, roughWire(seed)), { modes: ["plain"], only });
      const failed = report.results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(report.passed).toBe(true);
    },
    120_000,
  );

  test("with every read as late as it may be", async () => {
    const factory = lambdaHarness();
    const late = async () => {
      const harness = await factory();
      const { registration, clock } = harness;
      const plan = { staleReadMs: 6_000, faults: [{ operation: "*", when: "stale-read" }] } as const;
      return {
        ...harness,
        registration: { ...registration, provider: chaos(registration.provider, { seed: 1, plan, clock }) },
      };
    };
    const report = await runConformance(late, { modes: ["plain"], only });
    const failed = report.results.filter(({ status }) => status === "failed");
    expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  }, 300_000);
});

const FAULTS = [
  { operation: "spawn", when: "reply-lost", probability: 0.15 },
  { operation: "spawn", when: "after", row: "unknown", probability: 0.1 },
  { operation: "spawn", when: "after", row: "garbled-answer", probability: 0.05 },
  { operation: "spawn", when: "before", row: "bad-gateway", probability: 0.1 },
  { operation: "spawn", when: "before", row: "insufficient-capacity", probability: 0.1 },
  { operation: "terminate", when: "after", row: "bad-gateway", probability: 0.2 },
  { operation: "terminate", when: "reply-lost", probability: 0.1 },
  { operation: "list", when: "before", row: "service-unavailable", probability: 0.1 },
  { operation: "get", when: "reply-lost", probability: 0.2 },
  { operation: "list", when: "stale-read", probability: 0.3 },
] as const;
const KEYS = ["a", "b", "c", "d", "e"];

/** The error of a call that failed; only a ProviderError may come out of it. */
async function attempt<T>(call: Promise<T>): Promise<{ readonly value: T } | { readonly error: ProviderError }> {
  try {
    return { value: await call };
  } catch (error) {
    if (!isProviderError(error)) throw error;
    return { error };
  }
}

test.each(SEEDS.flatMap((seed) => Array.from({ length: 4 }, (_, at) => seed * 4 + at)))(
  "faults before and after the effect, seed %i",
  async (seed) => {
    const { provider, emulator } = lambdaWorld({ seed, readLagMs: 2_000, listedAfterEndMs: 4_000 });
    const { control, clock } = emulator;
    control.faults.add(...FAULTS.map((fault) => ({ ...fault, times: Number.POSITIVE_INFINITY })));
    const random = seededRandom(seed);
    const effects = { none: 0, unknown: 0, applied: 0 };
    const mind = (error: ProviderError, changed: boolean, what: string): void => {
      effects[error.effect] += 1;
      if (error.effect === "none")
        expect({ what, code: error.code, changed }).toEqual({ what, code: error.code, changed: false });
      if (error.effect === "applied") expect({ what, changed }).toEqual({ what, changed: true });
    };

    const spawned = new Map<string, string>();
    for (const key of KEYS) {
      for (let i = 0; !spawned.has(key) && i < 100; i += 1) {
        const before = control.changes();
        const came = await attempt(provider.spawn({ spec: "gpu_1x_a10", key }));
        if ("value" in came) spawned.set(key, came.value.id);
        else mind(came.error, control.changes() !== before, `spawn ${key}`);
        // What is unclear is looked up, and a read may lag so long: spawn itself looks first.
        await clock.sleep(provider.limits.readAfterWriteMs + random.whole(5_000));
      }
    }
    const held = control.instances().filter(({ live }) => live);
    expect(held.map(({ key }) => key).sort()).toEqual(KEYS);
    expect(held.map(({ nativeId }) => nativeId).sort()).toEqual([...spawned.values()].sort());

    for (const id of spawned.values()) {
      for (let i = 0, done = false; !done && i < 100; i += 1) {
        const before = control.changes();
        const came = await attempt(provider.terminate(id));
        done = "value" in came;
        if ("error" in came) mind(came.error, control.changes() !== before, `terminate ${id}`);
        await clock.sleep(random.whole(3_000));
      }
    }
    await clock.sleep(60_000);
    control.faults.clear();
    expect(control.instances().filter(({ live }) => live)).toEqual([]);
    expect(await provider.list()).toEqual([]);
    expect(effects.unknown + effects.applied).toBeGreaterThan(0);
  },
  60_000,
);
