import { expect, test } from "vitest";
import { renderTable } from "../src/render-report.ts";
import { runConformance } from "../src/run.ts";
import { poorHarness } from "./poor-remote.ts";

test("an honest provider of a poor remote, on the machine's own clock, conforms", { timeout: 300_000 }, async () => {
  const report = await runConformance(poorHarness);
  expect(report.problems, renderTable(report)).toEqual([]);
  expect(report.counts.passed).toBeGreaterThan(95);
  // What could not be tried is visible, with its reason.
  const untried = report.results.filter(({ status }) => status === "not-applicable");
  expect(untried.length).toBe(report.counts.notApplicable);
  expect(untried.every(({ reason }) => (reason ?? "") !== "")).toBe(true);
});
