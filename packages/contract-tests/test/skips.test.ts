import { expect, test } from "vitest";
import { runConformance } from "../src/run.ts";
import type { Skip } from "../src/skips.ts";
import { skipProblems } from "../src/skips.ts";
import { memoryHarness } from "./memory-harness.ts";

const NOW = Date.parse("2026-06-15T12:00:00Z");
const good: Skip = { id: "regions.filter", reason: "the remote cannot filter yet", reviewBy: "2026-12-31" };
// What a caller without types may write.
const untyped = (skip: object): Skip => skip as Skip;

test.each<[string, Skip, RegExp | null]>([
  ["a good one", good, null],
  ["one without a reason", { ...good, reason: "  " }, /no reason/],
  ["one whose review is due", { ...good, reviewBy: "2026-06-15" }, /was due/],
  ["one without a day", { ...good, reviewBy: "soon" }, /must be a day/],
  ["one with a day that does not exist", { ...good, reviewBy: "2026-13-40" }, /must be a day/],
  ["an unknown case", untyped({ ...good, id: "regions.nowhere" }), /no such case/],
  ["a case of spawn", untyped({ ...good, id: "spawn.labels" }), /cannot be skipped/],
  ["a case of key", untyped({ ...good, id: "key.same-spec" }), /cannot be skipped/],
])("%s", (_what, skip, problem) => {
  const problems = skipProblems([skip], NOW);
  expect(problems.length).toBe(problem === null ? 0 : 1);
  if (problem !== null) expect(problems[0]).toMatch(problem);
});

test("what is no list of skips is a problem", () => {
  // What a module without types may export.
  expect(skipProblems({} as never, NOW)).toEqual(["skips must be a list of { id, reason, reviewBy }"]);
  expect(skipProblems(["regions.filter" as never], NOW)).toEqual(["skips must be a list of { id, reason, reviewBy }"]);
});

test("a case named twice is a problem", () => {
  expect(skipProblems([good, good], NOW)).toEqual(["skip regions.filter: it is named twice"]);
});

test("a skipped case does not run, and the report says why", async () => {
  const only = (one: { readonly group: string }): boolean => one.group === "regions";
  const report = await runConformance(memoryHarness(), { skips: [good], only, now: () => NOW });
  const skipped = report.results.filter(({ status }) => status === "skipped");
  expect(skipped.map(({ id, reason }) => [id, reason])).toEqual([["regions.filter", good.reason]]);
  expect(report.passed).toBe(true);
});

test("an overdue skip fails the run", async () => {
  const only = (one: { readonly group: string }): boolean => one.group === "regions";
  const late = { ...good, reviewBy: "2026-01-01" };
  const report = await runConformance(memoryHarness(), { skips: [late], only, now: () => NOW });
  expect(report.passed).toBe(false);
  expect(report.problems).toEqual([expect.stringContaining("was due on 2026-01-01")]);
});
