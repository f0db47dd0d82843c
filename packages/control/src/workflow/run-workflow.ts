import { type Clock, canonicalJson, deadline, systemClock, timestamp, type Workflow } from "@slipway/core";
import { type JsonValue, type RunRecord, runRecordId } from "../store/record.ts";
import type { Journal, Lease } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { type Steps, stepsOf } from "./context.ts";
import { emitterFor, type Run, type RunJournal, runJournal, type WorkflowEvent } from "./run.ts";
import { owesUndo, recordedLeftovers, undoAll } from "./undo.ts";
import { validInput, validOutput } from "./validate.ts";
import { haltable, within } from "./within.ts";
import {
  inspectable,
  isCode,
  isWorkflowError,
  type Leftover,
  recordError,
  reviveError,
  WorkflowError,
  type WorkflowErrorCode,
} from "./workflow-error.ts";

/** How `runWorkflow` works, beside what it runs. */
export interface RunOptions {
  /** Where the run is kept. The same run continues from the same journal. */
  readonly journal: Journal;
  /** Names the run: called again with it after a crash, the run goes on where it was. A UUID if absent. */
  readonly runId?: string | undefined;
  readonly clock?: Clock | undefined;
  /** Aborting cancels: what was done is undone. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Past it, counted from the run's first start, the run is cancelled and undone. Recorded at the first start: a call that
   * resumes the run and gives none keeps that one.
   */
  readonly maxDurationMs?: number | undefined;
  /** How long a step that was cancelled may take to end, milliseconds; 30 000 if absent. */
  readonly graceMs?: number | undefined;
  readonly onEvent?: ((event: WorkflowEvent) => void) | undefined;
  /**
   * For tests. Called, and awaited, at `before:<step>`, `ran:<step>`, `after:<step>`, and the same with `undo-` in front
   * while the step is undone. What it throws ends the run as a kill would: nothing is undone or recorded.
   */
  readonly failpoint?: ((name: string) => void | Promise<void>) | undefined;
}

const GRACE_MS = 30_000;

/**
 * Runs a workflow so that it survives its process: every step's result is written to the journal before the next one
 * begins, and a run that is called again with its runId repeats no finished step. If it fails, is cancelled or takes too
 * long, what was done is undone, also over several calls; then it rejects with WorkflowError, and `leftovers` says
 * what could not be undone. A run that has ended answers the same again.
 *
 * A StoreError means that the run has stopped where it was, with nothing undone: call it again with its runId.
 *
 * @example
 * ```ts
 * import { workflow } from "@slipway/core";
 * import { z } from "zod";
 *
 * const greeting = workflow({
 *   type: "greeting",
 *   version: 1,
 *   input: z.string(),
 *   output: z.string(),
 *   run: ({ step }, name) => step("greet", async () => `Hello ${name}`),
 * });
 * await runWorkflow(greeting, "world", { journal: store, runId: "greeting-1", maxDurationMs: 60_000 }); // => "Hello world"
 * ```
 */
export async function runWorkflow<In, Out>(
  workflow: Workflow<In, Out>,
  input: NoInfer<In>,
  options: RunOptions,
): Promise<Out> {
  return runUnderLease(workflow, input, options, true);
}

/** As `runWorkflow` for a run that was seen in its journal: where its record is gone since, it is over and not begun anew. */
export async function resumeRun(
  workflow: Workflow,
  input: unknown,
  options: RunOptions & { readonly runId: string },
): Promise<unknown> {
  return runUnderLease(workflow, input, options, false);
}

async function runUnderLease<In, Out>(
  workflow: Workflow<In, Out>,
  input: NoInfer<In>,
  options: RunOptions,
  mayBegin: boolean,
): Promise<Out> {
  const { journal, runId = crypto.randomUUID(), clock = systemClock } = options;
  const given = await validInput(workflow, input, runId);
  const id = runRecordId(runId);
  const lease = await journal.acquire(id);
  if (lease === null) throw new WorkflowError("BUSY", { message: `another process runs ${runId} now`, runId });
  try {
    const record = await openRecord(journal, id, workflow, given.json, { ...options, runId, clock, mayBegin });
    const resumed = { ...options, runId, clock, lease };
    return await continueRun(workflow, runJournal(journal, id, record), given.input, resumed);
  } finally {
    // How it ended is recorded, and matters more than whether the lease could be given back: the store tries again.
    await journal.release(lease).catch(() => undefined);
  }
}

/** The record of this run, new or of an earlier call. */
async function openRecord(
  journal: Journal,
  id: string,
  workflow: Workflow,
  input: JsonValue,
  options: Pick<Continuation, "runId" | "clock" | "maxDurationMs"> & { readonly mayBegin: boolean },
): Promise<RunRecord> {
  const { type, version } = workflow;
  const { runId, clock, maxDurationMs, mayBegin } = options;
  const before = await journal.read(id);
  if (before === null && !mayBegin) {
    throw new WorkflowError("MISMATCH", {
      message: `${runId} is not resumed: its record was removed meanwhile`,
      runId,
    });
  }
  if (before === null) {
    const startedAt = timestamp(clock);
    const limit = maxDurationMs === undefined ? {} : { maxDurationMs };
    const first = { kind: "run", runId, type, version, state: "running", startedAt, input, ...limit } as const;
    const record: RunRecord = { ...first, steps: [] };
    await journal.write(id, record);
    return record;
  }
  const mismatch =
    before.kind === "run" ? mismatchOf(before, { type, version, input }) : "its record is not one of a run";
  if (mismatch === null && before.kind === "run") return before;
  throw new WorkflowError("MISMATCH", { message: `${runId} is not resumed: ${mismatch}`, runId });
}

function mismatchOf(before: RunRecord, now: Pick<RunRecord, "type" | "version" | "input">): string | null {
  if (before.type !== now.type) return `it was begun as ${before.type}, not as ${now.type}`;
  if (before.version !== now.version) return `it was begun by version ${before.version}, and this is ${now.version}`;
  return canonicalJson(before.input) === canonicalJson(now.input) ? null : "it was begun with another input";
}

interface Continuation extends RunOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly lease: Lease;
}

async function continueRun<In, Out>(
  workflow: Workflow<In, Out>,
  journal: RunJournal,
  input: In,
  options: Continuation,
): Promise<Out> {
  const { runId, clock, maxDurationMs = journal.record().maxDurationMs } = options;
  const begun = Date.parse(journal.record().startedAt);
  const left = maxDurationMs === undefined ? undefined : Math.max(0, begun + maxDurationMs - clock.now());
  const limit = deadline(clock, left, options.signal);
  const failing = new AbortController();
  const stopped = haltable();
  const run: Run = {
    workflow,
    runId,
    journal,
    clock,
    signal: AbortSignal.any([limit.signal, failing.signal]),
    graceMs: options.graceMs ?? GRACE_MS,
    emit: emitterFor(workflow, runId, clock, options.onEvent),
    mustWork: stopped.mustWork,
    failpoint: options.failpoint ?? ((): void => undefined),
  };
  // Another process may go on with the run: here it stops where it is, with nothing undone.
  const stopAsLost = (): void => void stopped.mustWork(() => Promise.reject(leaseLost(runId)));
  options.lease.signal.addEventListener("abort", stopAsLost, { once: true });
  // A limit of 0 has passed before any timer could say so.
  if (left === 0) failing.abort(new DOMException("the run took too long", "TimeoutError"));
  try {
    return await Promise.race([stopped.halted, conduct(workflow, run, input, failing)]);
  } finally {
    options.lease.signal.removeEventListener("abort", stopAsLost);
    limit.release();
    // Steps may still run where the run was halted: they are told that nobody waits for them.
    failing.abort(new DOMException("the run is over", "AbortError"));
  }
}

function leaseLost(runId: string): StoreError {
  return new StoreError("NOT_HELD", {
    message: `the lease of the run ${runId} was lost`,
    hint: "Call the run again with its runId: it goes on where it was, unless another process does that already.",
  });
}

async function conduct<In, Out>(
  workflow: Workflow<In, Out>,
  run: Run,
  input: In,
  failing: AbortController,
): Promise<Out> {
  const { record } = run.journal;
  const { state, steps } = record();
  if (state === "completed") return (await validOutput(workflow, run.runId, record().output)).output;
  if (state === "failed" && !steps.some(owesUndo)) throw recordedFailure(run);
  if (state !== "running") return undoRun(run, await replayed(workflow, run, input));

  run.emit({ type: steps.length === 0 ? "run.start" : "run.resume" });
  const live = stepsOf(run, false);
  try {
    const output = await bodyOf(workflow, run, live, input);
    live.close();
    await live.idle();
    const { output: promised, json } = await validOutput(workflow, run.runId, output);
    const kept = json === undefined ? {} : { output: json };
    await run.mustWork(() => run.journal.update({ state: "completed", ...kept }));
    run.emit({ type: "run.end", outcome: "ok" });
    return promised;
  } catch (thrown) {
    const error = inspectable(thrown);
    const failure = failureCode(run, error);
    live.close();
    // Steps that run beside the failed one would go on while their effects are undone.
    if (!run.signal.aborted) failing.abort(new DOMException("another step failed", "AbortError"));
    await live.idle();
    await run.mustWork(() => run.journal.update({ state: "undoing", failure, error: recordError(error) }));
    return undoRun(run, live, error);
  }
}

/** The workflow itself; given up where it does not end though it was cancelled. */
function bodyOf<In, Out>(workflow: Workflow<In, Out>, run: Run, steps: Steps, input: In): Promise<Out> {
  const body = (async () => workflow.run(steps.context, input))();
  // Its own steps have their grace first.
  return within(body, { ...run, graceMs: run.graceMs + 1000 }, () => new Error("the workflow did not end"));
}

/** Calls the workflow again, up to where it had come, only to learn its undos. */
async function replayed<In, Out>(workflow: Workflow<In, Out>, run: Run, input: In): Promise<Steps> {
  const steps = stepsOf(run, true);
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  (async () => workflow.run(steps.context, input))().then(end, end);
  const owed = (): boolean => run.journal.record().steps.some((step) => owesUndo(step) && !steps.undos.has(step.name));
  // Between steps a workflow has nothing to wait for: once two turns bring no call, it has come as far as it can.
  for (let calls = -1; owed() && !ended && calls !== steps.calls(); ) {
    calls = steps.calls();
    await nextTurn();
    await nextTurn();
  }
  return steps;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function undoRun(run: Run, steps: Steps, cause?: unknown): Promise<never> {
  run.emit({ type: "run.undo" });
  const leftovers = await undoAll(run, steps);
  await run.mustWork(() => run.journal.update({ state: "failed" }));
  const error = failed(run, leftovers, cause);
  run.emit({ type: "run.end", outcome: "error", code: error.code });
  throw error;
}

function recordedFailure(run: Run): WorkflowError {
  return failed(run, recordedLeftovers(run));
}

function failed(run: Run, leftovers: readonly Leftover[], thrown?: unknown): WorkflowError {
  const { failure = "FAILED", error } = run.journal.record();
  const cause = thrown ?? (error === undefined ? undefined : reviveError(error, run.runId));
  const left = leftovers.length === 0 ? "" : `; not undone: ${leftovers.map(({ step }) => step).join(", ")}`;
  const why = cause instanceof Error ? cause.message : "it threw what is no error";
  return new WorkflowError(isCode(failure) ? failure : "FAILED", {
    message: `${run.workflow.type} ${run.runId} failed: ${why}${left}`,
    runId: run.runId,
    leftovers,
    cause,
  });
}

function failureCode(run: Run, error: unknown): WorkflowErrorCode {
  if (isWorkflowError(error) && error.runId === run.runId) return error.code;
  if (!run.signal.aborted) return "FAILED";
  const reason: unknown = run.signal.reason;
  return reason instanceof DOMException && reason.name === "TimeoutError" ? "TIMED_OUT" : "CANCELLED";
}
