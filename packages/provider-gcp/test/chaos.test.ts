import { runConformance } from "@slipway/contract-tests";
import { chaos } from "@slipway/provider-kit/chaos";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import type { GcpEmulator } from "../emulator/index.ts";
import { gcpHarness } from "./gcp-harness.ts";

// `npm test`: one seed, and of the suite what a request that is sent again could make twice or lose. The whole suite with
// SLIPWAY_WHOLE_SUITE=1, as `npm run soak:suite` has it; more seeds with SLIPWAY_CHAOS_SEEDS=1,2,3.
const SEEDS = (process.env["SLIPWAY_CHAOS_SEEDS"] ?? "1").split(",").map(Number);
const GROUPS: readonly string[] = ["key", "spawn", "terminate", "list", "effect", "concurrency"];
const only =
  process.env["SLIPWAY_WHOLE_SUITE"] === "1"
    ? undefined
    : ({ group }: { readonly group: string }): boolean => GROUPS.includes(group);
const KINDS = [
  { name: "several zones", settings: {} },
  { name: "one zone", settings: { zones: ["us-central1-b"] } },
] as const;

const page = (status: number): Response =>
  new Response("<!DOCTYPE html>", { status, headers: { "content-type": "text/html" } });
const tooMany = (code: number): Response =>
  Response.json(
    {
      error: {
        code,
        message: "slow",
        errors: [{ domain: "usageLimits", reason: "rateLimitExceeded", message: "slow" }],
      },
    },
    { status: code },
  );
const reset = (): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });

/** A wire on which a provider has to keep the whole contract: whatever goes wrong can be tried again, and then goes well. */
function roughWire(seed: number): (emulator: GcpEmulator) => typeof globalThis.fetch {
  return ({ fetch, clock }) => {
    const random = seededRandom(seed);
    const failures = new Map<string, number>();
    return async (input, init) => {
      const request = `${init?.method} ${String(input)}`;
      const reads = init?.method === "GET" || request.endsWith("/wait");
      // Nobody tries for ever: the third time it works.
      const inRow = failures.get(request) ?? 0;
      const roll = inRow < 2 ? random.next() : 1;
      failures.set(request, roll < (reads ? 0.2 : 0.05) ? inRow + 1 : 0);
      if (roll < 0.05) return tooMany(roll < 0.02 ? 429 : 403);
      if (reads && roll < 0.12) return page(503);
      if (roll > 0.9) await clock.sleep(random.whole(400), init?.signal ?? undefined);
      const response = await fetch(input, init);
      if (reads && roll < 0.2) throw reset();
      return response;
    };
  };
}

describe.each(KINDS)("the suite, $name", ({ settings }) => {
  test.each(SEEDS)(
    "on a rough wire, seed %i",
    async (seed) => {
      const report = await runConformance(gcpHarness(settings, roughWire(seed)), { modes: ["plain"], only });
      const failed = report.results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(report.passed).toBe(true);
    },
    600_000,
  );
});

test("the whole suite, with every read as late as it may be", async () => {
  const factory = gcpHarness();
  const late = async () => {
    const harness = await factory();
    const { registration, clock } = harness;
    const plan = { staleReadMs: 2_500, faults: [{ operation: "*", when: "stale-read" }] } as const;
    return {
      ...harness,
      registration: { ...registration, provider: chaos(registration.provider, { seed: 1, plan, clock }) },
    };
  };
  const report = await runConformance(late, { modes: ["plain"], only });
  const failed = report.results.filter(({ status }) => status === "failed");
  expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
}, 600_000);
