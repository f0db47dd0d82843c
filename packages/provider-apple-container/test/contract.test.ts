import { runConformance } from "@slipway/contract-tests";
import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { expect, test } from "vitest";
import { appleContainerHarness } from "./apple-container-harness.ts";

describeProviderContract("apple-container", appleContainerHarness());

// The groups that a network can change; all of them with SLIPWAY_WHOLE_SUITE=1, as `npm run soak:suite` has it.
const GROUPS: readonly string[] = ["identity", "spawn", "networking", "capabilities", "hooks"];
const only =
  process.env["SLIPWAY_WHOLE_SUITE"] === "1"
    ? undefined
    : ({ group }: { readonly group: string }): boolean => GROUPS.includes(group);

test("without networks it conforms too", async () => {
  const report = await runConformance(appleContainerHarness({ networks: false }), { modes: ["plain"], only });
  const failed = report.results.filter(({ status }) => status === "failed");
  expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  expect(report.passed).toBe(true);
}, 600_000);
