import { runConformance } from "@slipway/contract-tests";
import { chaos } from "@slipway/provider-kit/chaos";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import type { Ec2Emulator } from "../emulator/index.ts";
import { awsHarness } from "./aws-harness.ts";

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
const throttled = (): Response =>
  new Response(
    "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors><RequestID>1</RequestID></Response>",
    { status: 503, headers: { "content-type": "text/xml" } },
  );
const reset = (): Error =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });

/** A wire on which a provider has to keep the whole contract: whatever goes wrong can be tried again. */
function roughWire(seed: number): (emulator: Ec2Emulator) => typeof globalThis.fetch {
  return ({ fetch, clock }) => {
    const random = seededRandom(seed);
    return async (input, init) => {
      const body = typeof init?.body === "string" ? init.body : "";
      const reads = /Action=(Describe|Get)/.test(body);
      const roll = random.next();
      if (roll < 0.05 && body.includes("Action=")) return throttled();
      if (reads && roll < 0.07) return page(503);
      if (roll > 0.9) await clock.sleep(random.whole(400), init?.signal ?? undefined);
      const response = await fetch(input, init);
      if (reads && roll < 0.09) throw reset();
      return response;
    };
  };
}

describe("the suite on a rough wire", () => {
  test.each(SEEDS)(
    "seed %i",
    async (seed) => {
      const report = await runConformance(awsHarness({}, roughWire(seed)), { modes: ["plain"], only });
      const failed = report.results.filter(({ status }) => status === "failed");
      expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
      expect(report.passed).toBe(true);
    },
    240_000,
  );

  test.runIf(process.env["SLIPWAY_WHOLE_SUITE"] === "1")(
    "with every read as late as it may be",
    async () => {
      const factory = awsHarness();
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
    },
    240_000,
  );
});
