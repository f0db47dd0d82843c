import { caseContext, type Mode, mustLeaveNothing, type Project } from "./case-context.ts";
import { ConformanceFailure, NotApplicable, shown } from "./conformance-failure.ts";
import type { ContractCase } from "./contract-case.ts";
import type { HarnessFactory } from "./harness.ts";
import type { RuleId } from "./ids.ts";
import { sentenceOf } from "./rules.ts";

/** How one case ended. JSON-safe. */
export interface CaseResult {
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly rules: readonly RuleId[];
  readonly mode: Mode;
  readonly status: "passed" | "failed" | "skipped" | "not-applicable";
  /** Why it failed, was skipped, or is not applicable. */
  readonly reason?: string;
  /** The rule that a failed case found broken, where it was one. */
  readonly rule?: RuleId;
  /** Real milliseconds. */
  readonly durationMs: number;
  /** A new case: its failure does not fail the run yet. */
  readonly advisory: boolean;
}

export interface RunCaseOptions {
  /** The real time that the case may take; a safety net, not a measure. Milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** Core's own if absent. */
  readonly project?: Project | undefined;
}

export const DEFAULT_CASE_TIMEOUT_MS = 120_000;

type Ending = Pick<CaseResult, "status" | "reason" | "rule">;

/** Runs one case in a world of its own. Never throws. */
export async function runCase(
  one: ContractCase,
  factory: HarnessFactory,
  mode: Mode,
  options: RunCaseOptions = {},
): Promise<CaseResult> {
  const begun = performance.now();
  const ending = await inWorld(one, factory, mode, options);
  return {
    id: one.id,
    group: one.group,
    title: one.title,
    rules: one.rules,
    mode,
    ...ending,
    durationMs: Math.round((performance.now() - begun) * 10) / 10,
    advisory: one.advisory === true,
  };
}

async function inWorld(
  one: ContractCase,
  factory: HarnessFactory,
  mode: Mode,
  { timeoutMs = DEFAULT_CASE_TIMEOUT_MS, project }: RunCaseOptions,
): Promise<Ending> {
  let ending: Ending = { status: "passed" };
  try {
    const { context, end } = await withinTime(timeoutMs, "making the harness", () =>
      caseContext(factory, mode, project),
    );
    try {
      await withinTime(timeoutMs, "the case", () => one.run(context));
    } catch (error) {
      ending = endingOf(error);
    }
    try {
      const left = await withinTime(timeoutMs, "cleaning up", end);
      // The case's own failure says more than what it left behind.
      if (ending.status !== "failed") mustLeaveNothing(left);
    } catch (error) {
      if (ending.status !== "failed") ending = endingOf(error);
      // Where cleaning up hangs, the world itself has to go.
      if (error instanceof Late) await withinTime(timeoutMs, "closing", () => context.harness.close());
    }
  } catch (error) {
    if (ending.status !== "failed") ending = endingOf(error);
  }
  return ending;
}

function endingOf(error: unknown): Ending {
  if (error instanceof NotApplicable) return { status: "not-applicable", reason: error.message };
  if (error instanceof ConformanceFailure) {
    const { rule, saw, next } = error;
    return { status: "failed", reason: `${rule}: ${saw}\n  The rule: ${sentenceOf(rule)}\n  Next: ${next}`, rule };
  }
  if (error instanceof Late) return { status: "failed", reason: error.message };
  const stack = error instanceof Error ? `\n${error.stack?.split("\n").slice(1, 6).join("\n")}` : "";
  return { status: "failed", reason: `a call that had to work was rejected: ${shown(error)}${stack}` };
}

class Late extends Error {}

async function withinTime<T>(timeoutMs: number, what: string, act: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `${what} took more than ${timeoutMs} ms of real time: a call never settles, or caseTimeoutMs is short`;
    timer = setTimeout(() => reject(new Late(message)), timeoutMs);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}
