import { expect, test } from "vitest";
import { must, NotApplicable } from "../src/conformance-failure.ts";
import type { ContractCase } from "../src/contract-case.ts";
import { renderBadge, renderJson, renderMarkdown, renderTable } from "../src/render-report.ts";
import { runConformance } from "../src/run.ts";
import { memoryHarness } from "./memory-harness.ts";

const base = { group: "regions", title: "does as it should", rules: ["REGION-01"], projected: true } as const;
const cases: readonly ContractCase[] = [
  { ...base, id: "regions.listed", run: async () => undefined },
  {
    ...base,
    id: "regions.spawn",
    run: async () => must(false, "REGION-02", "it is elsewhere", "Send the region."),
  },
  {
    ...base,
    id: "regions.filter",
    run: async () => {
      throw new NotApplicable("only one region is configured");
    },
  },
];
const report = await runConformance(memoryHarness(), { cases });

test("the table shows groups, what did not pass once, and the verdict", () => {
  const table = renderTable(report);
  expect(table).toContain("regions        2 pass    2 FAIL              2 n/a");
  expect(table).toContain("FAIL regions.spawn [plain]: does as it should");
  expect(table.match(/only one region is configured/g)).toHaveLength(1);
  expect(table).toContain("memory does not conform to Slipway contract 1 (suite 1.0.0): 2 passed, 2 failed");
});

test("what several failures share stands first, once, with the cases that met it", async () => {
  const broken = (id: string, rule: "TERM-02" | "LIST-01"): ContractCase => ({
    ...base,
    id: `regions.${id}`,
    run: async () => must(false, rule, `${id} still lives`, "End it."),
  });
  const many = [...["a", "b", "c"].map((id) => broken(id, "TERM-02")), broken("d", "LIST-01")];
  const shared = await runConformance(memoryHarness(), { cases: many, modes: ["plain"] });
  expect(shared.causes).toEqual([
    {
      rule: "TERM-02",
      reason: expect.stringContaining("a still lives"),
      cases: ["regions.a", "regions.b", "regions.c"],
    },
  ]);
  for (const text of [renderTable(shared), renderMarkdown(shared)]) {
    expect(text).toContain("Mend this first: 3 cases found TERM-02 broken.\n  TERM-02: a still lives\n  The rule: ");
    expect(text).toContain("In: regions.a, regions.b, regions.c");
    expect(text).not.toContain("FAIL regions.a");
    expect(text.indexOf("Mend this first")).toBeLessThan(text.indexOf("FAIL regions.d [plain]: does as it should"));
  }
});

test("the JSON is the report, and survives", () => {
  expect(JSON.parse(renderJson(report))).toEqual(report);
});

test("the Markdown has badge, verdict, groups and capabilities", () => {
  const text = renderMarkdown(report);
  expect(text.split("\n")[0]).toBe(renderBadge(report));
  expect(text).toContain("| regions | 2 | 2 | 0 | 2 |");
  expect(text).toContain("| snapshots | yes |");
  expect(text).toContain("REGION-02: it is elsewhere");
});

test("the badge says contract version and verdict", () => {
  expect(renderBadge(report)).toMatch(/Slipway contract 1: failing/);
  expect(renderBadge({ ...report, passed: true })).toMatch(/Slipway contract 1: conformant/);
});

test("what is wrong beside the cases stands in table and Markdown too", () => {
  const worse = { ...report, problems: [...report.problems, "2 selected cases did not run: a, b"] };
  expect(renderTable(worse)).toContain("2 selected cases did not run: a, b");
  expect(renderMarkdown(worse)).toContain("- 2 selected cases did not run: a, b");
});
