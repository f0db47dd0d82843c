import { runConformance } from "@slipway/contract-tests";
import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { expect, test } from "vitest";
import { appleContainerHarness } from "./apple-container-harness.ts";

describeProviderContract("apple-container", appleContainerHarness());

test("without networks it conforms too", async () => {
  const report = await runConformance(appleContainerHarness({ networks: false }), { modes: ["plain"] });
  const failed = report.results.filter(({ status }) => status === "failed");
  expect(failed.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  expect(report.passed).toBe(true);
}, 600_000);
