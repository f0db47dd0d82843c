import type { Mode } from "./case-context.ts";
import { type CaseResult, runCase } from "./case-result.ts";
import type { ContractCase } from "./contract-case.ts";
import type { Harness, HarnessFactory } from "./harness.ts";
import { type PlannedCase, plan, plannedIn } from "./plan.ts";
import { type ConformanceReport, reportOf } from "./report.ts";
import { type Skip, skipProblems } from "./skips.ts";

export const MODES: readonly Mode[] = ["plain", "projected"];

export interface ConformanceOptions {
  /** Cases that the provider does not pass yet, with reason and review date. */
  readonly skips?: readonly Skip[] | undefined;
  /**
   * Both if absent. Plain, the provider runs every case as it is; projected, through core's projection, those that
   * projection can change.
   */
  readonly modes?: readonly Mode[] | undefined;
  /** Only these cases, for work on one of them. A run so narrowed is judged by what it was narrowed to. */
  readonly only?: ((one: ContractCase) => boolean) | undefined;
  /** Called after each case, for progress. */
  readonly onResult?: ((result: CaseResult, of: { readonly done: number; readonly total: number }) => void) | undefined;
  /** Today, for the review dates of skips; the machine's own if absent. Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
  /** Other cases than the suite's own: for tests of the suite itself. */
  readonly cases?: readonly ContractCase[] | undefined;
}

/** What is to be run, before anything is: the plan and how long a case may take. */
export interface PreparedRun {
  readonly planned: readonly PlannedCase[];
  readonly provider: Harness["registration"]["provider"];
  readonly skipProblems: readonly string[];
  readonly timeoutMs: number | undefined;
}

/** Reads the provider's capabilities from a harness, and closes it. Rejects where the harness cannot be made. */
export async function prepareRun(factory: HarnessFactory, options: ConformanceOptions = {}): Promise<PreparedRun> {
  if (typeof factory !== "function") throw new TypeError("a harness factory is a function that makes a harness");
  const harness = await factory();
  checkHarness(harness);
  try {
    const { skips = [], only, now = Date.now, cases } = options;
    const planned = plan(harness, skips, cases);
    return {
      planned: only === undefined ? planned : planned.filter((one) => only(one.case)),
      provider: harness.registration.provider,
      skipProblems: skipProblems(skips, now()),
      timeoutMs: harness.caseTimeoutMs,
    };
  } finally {
    await harness.close();
  }
}

/** The result of a case that is planned; only where it is fated to run, it runs. */
export async function runPlanned(
  { case: one, fate }: PlannedCase,
  factory: HarnessFactory,
  mode: Mode,
  timeoutMs?: number,
): Promise<CaseResult> {
  if (fate.kind === "run") return await runCase(one, factory, mode, { timeoutMs });
  const { id, group, title, rules } = one;
  const advisory = one.advisory === true;
  return { id, group, title, rules, mode, status: fate.kind, reason: fate.reason, durationMs: 0, advisory };
}

/**
 * Runs every case that the registration's capabilities select, each in a fresh harness, and those that projection can
 * change once more on the projected provider. Never rejects because of the provider: the report says what failed, and
 * `passed` is the verdict.
 */
export async function runConformance(
  factory: HarnessFactory,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const modes = options.modes ?? MODES;
  const prepared = await prepareRun(factory, options);
  const { planned, provider, timeoutMs } = prepared;
  const results: CaseResult[] = [];
  const total = modes.reduce((sum, mode) => sum + plannedIn(mode, planned).length, 0);
  for (const mode of modes) {
    for (const one of plannedIn(mode, planned)) {
      const result = await runPlanned(one, factory, mode, timeoutMs);
      results.push(result);
      options.onResult?.(result, { done: results.length, total });
    }
  }
  return reportOf({ provider, modes, planned, results, skipProblems: prepared.skipProblems });
}

type Path = readonly string[];

// What no case can do without. A module without types may answer anything, and then a sentence helps more than a stack.
const FUNCTIONS: readonly Path[] = [
  ["registration", "provider", "spawn"],
  ["registration", "provider", "terminate"],
  ["registration", "provider", "list"],
  ["registration", "provider", "get"],
  ["registration", "provider", "generateBootstrap"],
  ["registration", "hooks", "onStartup"],
  ["registration", "hooks", "onShutdown"],
  ["registration", "hooks", "onHeartbeat"],
  ["spawnOptions"],
  ["another"],
  ["inspector", "instances"],
  ["clock", "now"],
  ["clock", "sleep"],
  ["close"],
];
const OBJECTS: readonly Path[] = [
  ["registration", "provider", "capabilities"],
  ["registration", "provider", "limits"],
  ["registration", "provider", "whyNot"],
  ["registration", "provider", "refuses"],
  ["secrets"],
];

/** Throws a TypeError that names every part which a harness cannot do without and lacks. */
function checkHarness(harness: unknown): asserts harness is Harness {
  const missing = [
    ...FUNCTIONS.filter((path) => typeof at(harness, path) !== "function").map((path) => `${path.join(".")}()`),
    ...OBJECTS.filter((path) => typeof at(harness, path) !== "object").map((path) => path.join(".")),
    ...(typeof at(harness, ["unknownId"]) === "string" ? [] : ["unknownId"]),
  ];
  if (missing.length > 0) throw new TypeError(`the harness lacks ${missing.join(", ")}`);
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (member, name) => (typeof member === "object" && member !== null ? Reflect.get(member, name) : undefined),
    value,
  );
}
