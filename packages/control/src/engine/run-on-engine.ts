import { type Clock, deadline, systemClock, type Workflow } from "@slipway/core";
import { emitterFor, failpointName } from "../workflow/run.ts";
import type { RunOptions } from "../workflow/run-workflow.ts";
import { callUndo, leftoverOf, owesUndo } from "../workflow/undo.ts";
import { validInput, validOutput } from "../workflow/validate.ts";
import { haltable, within } from "../workflow/within.ts";
import {
  inspectable,
  isWorkflowError,
  recordError,
  WorkflowError,
  type WorkflowErrorCode,
} from "../workflow/workflow-error.ts";
import type { EngineOutcome, RecordedLeftover, WorkflowEngine } from "./engine.ts";
import { type EngineRun, engineRun } from "./engine-run.ts";
import { type BegunStep, type EngineSteps, engineSteps } from "./engine-steps.ts";

/** How a run on an engine works, beside what it runs. */
export interface EngineRunOptions extends Pick<RunOptions, "maxDurationMs" | "graceMs" | "onEvent" | "failpoint"> {
  /** The engine's own id of the run, which is the same each time that the engine calls it. */
  readonly runId: string;
  readonly clock?: Clock | undefined;
}

const GRACE_MS = 30_000;

/**
 * Runs a workflow inside a run of a durable engine, with all that `runWorkflow` promises but what the journal of a store
 * gives: the engine keeps the entries, calls this again after a crash, and has one process for each run. Answers how the
 * run ended, also where it failed; rejects where the engine has to call it again, with nothing undone.
 *
 * @example
 * ```ts
 * import { setTimeout } from "node:timers/promises";
 * import type { WorkflowEngine } from "@slipway/control/engine";
 * import type { Workflow } from "@slipway/core";
 *
 * // An engine gives `once` a memory: what was answered under a name is answered again after a crash.
 * const engine: WorkflowEngine = {
 *   once: (_name, work) => work(),
 *   sleep: async (ms) => setTimeout(ms),
 * };
 * export const run = (flow: Workflow, input: unknown) => runOnEngine(flow, input, engine, { runId: "deploy-7" });
 * ```
 */
export async function runOnEngine(
  workflow: Workflow,
  input: unknown,
  engine: WorkflowEngine,
  options: EngineRunOptions,
): Promise<EngineOutcome> {
  const { runId, clock = systemClock } = options;
  const given = await validInput(workflow, input, runId).catch((error: unknown) => {
    if (!isWorkflowError(error)) throw error;
    return error;
  });
  if (isWorkflowError(given)) return { ok: false, code: given.code, message: given.message, runId, leftovers: [] };
  const started = await startOf(workflow, engine, clock, options);
  const limit = deadline(clock, started.left, engine.signal);
  const stopped = haltable();
  const run = engineRun(engine, {
    workflow,
    runId,
    clock,
    graceMs: options.graceMs ?? GRACE_MS,
    emit: emitterFor(workflow, runId, clock, options.onEvent),
    failpoint: options.failpoint ?? ((): void => undefined),
    mustWork: stopped.mustWork,
    until: started.until,
    limit: limit.signal,
  });
  const stopAsLost = (): void =>
    void stopped.mustWork(() => Promise.reject(new Error(`the engine took ${runId} from here`)));
  engine.lost?.addEventListener("abort", stopAsLost, { once: true });
  if (engine.lost?.aborted === true) stopAsLost();
  try {
    return await Promise.race([stopped.halted, conduct(workflow, run, given.input)]);
  } finally {
    limit.release();
    // Steps may still run where the run was halted: they are told that nobody waits for them.
    run.abort("FAILED");
    engine.lost?.removeEventListener("abort", stopAsLost);
    if (engine.lost?.aborted === true) await run.ended();
  }
}

interface Started {
  /** When the run is over, milliseconds since the epoch. */
  readonly until: number;
  /** How long that is from now; undefined for ever. */
  readonly left: number | undefined;
}

/** The first entry: when the run began, and as what. */
async function startOf(
  { type, version }: Workflow,
  engine: WorkflowEngine,
  clock: Clock,
  { runId, maxDurationMs }: EngineRunOptions,
): Promise<Started> {
  const now = { type, version, at: clock.now(), most: maxDurationMs ?? null };
  const start = await engine.once("start", async () => now);
  if (start.type !== type || start.version !== version) {
    const message = `${runId} is not resumed: it was begun as version ${start.version} of ${start.type}, and this is version ${version} of ${type}`;
    throw new WorkflowError("MISMATCH", { message, runId });
  }
  if (start.most === null) return { until: Number.POSITIVE_INFINITY, left: undefined };
  const until = start.at + start.most;
  return { until, left: Math.max(0, until - clock.now()) };
}

async function conduct(workflow: Workflow, run: EngineRun, input: unknown): Promise<EngineOutcome> {
  run.emit({ type: "run.start" });
  const steps = engineSteps(run);
  try {
    const body = (async () => workflow.run(steps.context, input))();
    // Its own steps have their grace first.
    const limit = { ...run, graceMs: run.graceMs + 1000 };
    const output = await within(body, limit, () => new Error("the workflow did not end"));
    steps.close();
    await steps.idle();
    const { json } = await validOutput(workflow, run.runId, output);
    run.emit({ type: "run.end", outcome: "ok" });
    return json === undefined ? { ok: true } : { ok: true, output: json };
  } catch (thrown) {
    const error = inspectable(thrown);
    steps.close();
    const code = failureCode(run, error);
    run.abort("FAILED");
    await steps.idle();
    return undo(run, steps, code, error);
  }
}

async function undo(
  run: EngineRun,
  steps: EngineSteps,
  code: WorkflowErrorCode,
  thrown: unknown,
): Promise<EngineOutcome> {
  // Kept before anything is undone: a replay may find another reason, as time has gone on.
  const failure = await run.insist("failed", async () => ({ code, cause: recordError(thrown) }));
  run.emit({ type: "run.undo" });
  const leftovers: RecordedLeftover[] = [];
  for (const begun of steps
    .begun()
    .filter(({ record }) => owesUndo(record))
    .toReversed()) {
    const leftover = await undoStep(run, begun);
    if (leftover !== undefined) leftovers.push(leftover);
  }
  run.emit({ type: "run.end", outcome: "error", code: failure.code });
  const left = leftovers.length === 0 ? "" : `; not undone: ${leftovers.map(({ step }) => step).join(", ")}`;
  const message = `${run.workflow.type} ${run.runId} failed: ${failure.cause.message}${left}`;
  return { ok: false, code: failure.code, message, runId: run.runId, leftovers, cause: failure.cause };
}

async function undoStep(run: EngineRun, { record, undo: known }: BegunStep): Promise<RecordedLeftover | undefined> {
  const { name } = record;
  const stop = (when: "before" | "ran" | "after"): Promise<void> =>
    run.mustWork(() => run.failpoint(failpointName(when, true, name)));
  await stop("before");
  const end = await run.insist(`undo ${name}`, async () => {
    run.emit({ type: "undo.start", step: name });
    const error = await run.track(callUndo(run, known, record)).then(
      () => null,
      (thrown: unknown) => recordError(thrown),
    );
    if (error === null) await stop("ran");
    run.emit({ type: "undo.end", step: name, outcome: error === null ? "ok" : "error" });
    return { error };
  });
  await stop("after");
  if (end.error === null) return undefined;
  const { result: _result, ...leftover } = leftoverOf(run, record, undefined);
  return { ...leftover, ...(record.result === undefined ? {} : { result: record.result }), error: end.error };
}

function failureCode(run: EngineRun, error: unknown): WorkflowErrorCode {
  if (isWorkflowError(error) && error.runId === run.runId) return error.code;
  const over = run.over();
  if (over !== null) return over;
  if (!run.signal.aborted) return "FAILED";
  const reason: unknown = run.signal.reason;
  return reason instanceof DOMException && reason.name === "TimeoutError" ? "TIMED_OUT" : "CANCELLED";
}
