import { expect, test } from "vitest";
import type { RuleId } from "../src/ids.ts";
import { rules } from "../src/rules.ts";
import { cases } from "../src/topics.ts";
import { memoryHarness } from "./memory-harness.ts";
import { casesWithoutMutant, killMutants, mutants } from "./mutants/index.ts";

// SLIPWAY_MUTANTS=all, as `npm run soak:mutants` has it: each mutant meets every case, and may fail none that it does not
// name. Otherwise it meets the cases that it names alone: that it is killed is proven in a hundredth of the time.
const namedOnly = process.env["SLIPWAY_MUTANTS"] !== "all";

// As quick as a remote may be: what is tried here is the suite, not patience.
const quick = memoryHarness({
  latencyMs: 2,
  bootMs: 100,
  bootstrapMs: 50,
  terminateMs: 50,
  snapshotMs: 100,
  volumeMs: 50,
  hibernateMs: 50,
  spotFillMs: 50,
});

test("every case has a mutant that it kills, or a reason why there can be none", () => {
  const known = new Set([...mutants.map(({ kills }) => kills), ...casesWithoutMutant.map(({ id }) => id)]);
  expect([...known].sort()).toEqual(cases.map(({ id }) => id).sort());
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  expect(casesWithoutMutant.filter(({ reason }) => reason.length < 20)).toEqual([]);
});

// What any case may find, since every case looks at answers and errors and cleans up.
const GENERAL: readonly RuleId[] = ["DATA-01", "DATA-02", "ERR-01", "TERM-02"];
const reported = new Set<RuleId>();

test.each(mutants)("$id: $kills fails on a provider that $does", { timeout: 120_000 }, async (mutant) => {
  const [result] = await killMutants(quick, { mutants: [mutant], namedOnly });
  expect(result).toMatchObject({ id: mutant.id, killed: true, unexpected: [], survivedBy: [] });
  const rule = result?.rule ?? null;
  expect(rule, "the failure names no rule").not.toBeNull();
  const named = cases.find(({ id }) => id === mutant.kills)?.rules ?? [];
  expect([...named, ...GENERAL]).toContain(rule);
  if (rule !== null) reported.add(rule);
});

test("every rule that a provider can break is found broken on some mutant", () => {
  const silent = rules.filter(({ id, subject }) => subject === "provider" && !reported.has(id)).map(({ id }) => id);
  // Core's projection keeps this one whatever a provider answers.
  expect(silent).toEqual(["PROJ-01"]);
});
