import { projectProvider } from "@slipway/core";
import { expect, test } from "vitest";
import { runCase } from "../../src/case-result.ts";
import type { Harness } from "../../src/harness.ts";
import { plan } from "../../src/plan.ts";
import { renderTable } from "../../src/render-report.ts";
import { runConformance } from "../../src/run.ts";
import { cases } from "../../src/topics.ts";
import { memoryHarness } from "../memory-harness.ts";
import { brokenProjections } from "./broken-projections.ts";

const quick = memoryHarness({ latencyMs: 2, bootMs: 100, bootstrapMs: 50, terminateMs: 50, snapshotMs: 100 });
const projected = cases.filter((one) => one.projected === true);

test.each(brokenProjections)("a case that runs projected fails where $id", async ({ project }) => {
  for (const one of projected) {
    const { status } = await runCase(one, quick, "projected", { project });
    if (status === "failed") return;
  }
  expect.unreachable("every case that runs projected passes");
});

test("the cases that run projected are a part of the suite, and every other passes projected too", async () => {
  const selected = plan(await quick());
  expect(selected.filter((one) => one.case.projected === true).length).toBeLessThan(selected.length / 4);
  // The whole suite over a provider that was projected before, as if all of it ran projected.
  const before = async (): Promise<Harness> => {
    const harness = await quick();
    const { registration } = harness;
    return {
      ...harness,
      registration: { ...registration, provider: projectProvider(registration.provider) },
      another: async (options) => projectProvider(await harness.another(options)),
    };
  };
  const report = await runConformance(before, { modes: ["plain"] });
  expect(report.passed, renderTable(report)).toBe(true);
});
