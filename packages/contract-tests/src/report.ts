import { BUILTIN_CAPABILITIES, CONTRACT_VERSION, type Provider } from "@slipway/core";
import type { Mode } from "./case-context.ts";
import type { CaseResult } from "./case-result.ts";
import type { RuleId } from "./ids.ts";
import { type PlannedCase, plannedIn } from "./plan.ts";
import { SUITE_VERSION } from "./suite-version.ts";

/** How a run ended. JSON-safe. */
export interface ConformanceReport {
  readonly suiteVersion: string;
  readonly contractVersion: number;
  readonly provider: {
    readonly name: string;
    readonly tier: string;
    readonly contractVersion: number;
    /** Those that are on. */
    readonly capabilities: readonly string[];
  };
  readonly modes: readonly Mode[];
  readonly results: readonly CaseResult[];
  readonly counts: ReportCounts;
  /** What several failures have in common, most failures first: mend the first one, and most of the rest may be green. */
  readonly causes: readonly SharedCause[];
  /** Everything that makes the run fail, in words; empty if it passed. */
  readonly problems: readonly string[];
  readonly passed: boolean;
}

/** One rule that several cases found broken, each on its own way. */
export interface SharedCause {
  readonly rule: RuleId;
  /** What the first of them saw, the rule's sentence, and what to do next. */
  readonly reason: string;
  /** The ids of the cases. */
  readonly cases: readonly string[];
}

export interface ReportCounts {
  /** What the provider's capabilities select, in all modes. */
  readonly selected: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notApplicable: number;
  /** Failures of advisory cases; they are in `failed` too, and do not fail the run. */
  readonly advisoryFailed: number;
}

export interface RunFacts {
  readonly provider: Provider;
  readonly modes: readonly Mode[];
  /** What the capabilities select; projected, only a part of it runs. */
  readonly planned: readonly PlannedCase[];
  readonly results: readonly CaseResult[];
  readonly skipProblems: readonly string[];
}

/** Judges a run: no failure, no bad skip, and nothing that was selected is missing. */
export function reportOf({ provider, modes, planned, results, skipProblems }: RunFacts): ConformanceReport {
  const problems = [...skipProblems, ...incomplete(modes, planned, results), ...failures(results)];
  return {
    suiteVersion: SUITE_VERSION,
    contractVersion: CONTRACT_VERSION,
    provider: {
      name: provider.name,
      tier: provider.tier,
      contractVersion: provider.contractVersion,
      capabilities: Object.entries(provider.capabilities).flatMap(([name, on]) => (on === true ? [name] : [])),
    },
    modes,
    results,
    counts: countsOf(modes, planned, results),
    causes: sharedCauses(results),
    problems,
    passed: problems.length === 0,
  };
}

// Fewer failures than this are read one by one.
const SHARED_BY = 3;

/** One broken method fails half of the suite, and each failure names the rule that it met. */
export function sharedCauses(results: readonly CaseResult[]): readonly SharedCause[] {
  const byRule = new Map<RuleId, { readonly reason: string; readonly cases: Set<string> }>();
  for (const { status, rule, reason = "", id } of results) {
    if (status !== "failed" || rule === undefined) continue;
    const cause = byRule.get(rule) ?? { reason, cases: new Set() };
    cause.cases.add(id);
    byRule.set(rule, cause);
  }
  return [...byRule]
    .filter(([, { cases }]) => cases.size >= SHARED_BY)
    .map(([rule, { reason, cases }]) => ({ rule, reason, cases: [...cases] }))
    .sort((a, b) => b.cases.length - a.cases.length);
}

function countsOf(
  modes: readonly Mode[],
  planned: readonly PlannedCase[],
  results: readonly CaseResult[],
): ReportCounts {
  const count = (status: CaseResult["status"]): number => results.filter((result) => result.status === status).length;
  return {
    selected: modes.reduce((sum, mode) => sum + plannedIn(mode, planned).length, 0),
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    notApplicable: count("not-applicable"),
    advisoryFailed: results.filter(({ status, advisory }) => status === "failed" && advisory).length,
  };
}

function failures(results: readonly CaseResult[]): readonly string[] {
  return results
    .filter(({ status, advisory }) => status === "failed" && !advisory)
    .map(({ id, mode, reason }) => `${id} (${mode}): ${reason ?? "failed"}`);
}

/** A case that was selected and has no result, or an empty run: a green that proves nothing. */
export function incomplete(
  modes: readonly Mode[],
  planned: readonly PlannedCase[],
  results: readonly CaseResult[],
): readonly string[] {
  const done = new Set(results.map(({ mode, id }) => `${id} (${mode})`));
  const expected = modes.flatMap((mode) => plannedIn(mode, planned).map((one) => `${one.case.id} (${mode})`));
  const missing = expected.filter((name) => !done.has(name));
  const ran = results.filter(({ status }) => status === "passed" || status === "failed").length;
  return [
    ...(ran === 0 ? [nothingRan(planned, expected)] : []),
    ...(missing.length === 0 ? [] : [`${missing.length} selected cases did not run: ${missing.join(", ")}`]),
  ];
}

function nothingRan(planned: readonly PlannedCase[], expected: readonly string[]): string {
  return planned.length > 0 && expected.length === 0
    ? "no case ran: projection can change nothing that these cases look at, so they run in mode plain alone"
    : "no case ran";
}

/** One line of the verdict. */
export function summaryOf({ provider, counts, passed, contractVersion, suiteVersion }: ConformanceReport): string {
  const parts = [`${counts.passed} passed`, `${counts.failed} failed`, `${counts.skipped} skipped`];
  const told = [...parts, `${counts.notApplicable} not applicable`].join(", ");
  const advisory = counts.advisoryFailed === 0 ? "" : ` (${counts.advisoryFailed} of the failures advisory)`;
  const verdict = passed ? "conforms to" : "does not conform to";
  return `${provider.name} ${verdict} Slipway contract ${contractVersion} (suite ${suiteVersion}): ${told}${advisory}`;
}

/** The flags in the order of the documentation, third parties' last. */
export function capabilityRow({
  provider,
}: ConformanceReport): readonly { readonly name: string; readonly on: boolean }[] {
  const third = provider.capabilities.filter((name) => !BUILTIN_CAPABILITIES.some((known) => known === name));
  return [
    ...BUILTIN_CAPABILITIES.map((name) => ({ name, on: provider.capabilities.includes(name) })),
    ...third.map((name) => ({ name, on: true })),
  ];
}
