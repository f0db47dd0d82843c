import { deadline, type UndoContext } from "@slipway/core";
import type { StepRecord } from "../store/record.ts";
import { stepKey } from "../store/run-steps.ts";
import type { OwedUndo, Steps } from "./context.ts";
import { type Attempting, failpointName, type Run, tryRepeatedly } from "./run.ts";
import { type Leftover, recordError, reviveError } from "./workflow-error.ts";

const UNDO_TIMEOUT_MS = 600_000;

/** Does the step still have to be undone? */
export function owesUndo(step: StepRecord): boolean {
  return step.kind === "step" && step.undoable && step.state !== "undone" && step.outcome !== "none";
}

/** Undoes every step that owes it, the last one first; one that fails does not stop the others. */
export async function undoAll(run: Run, steps: Steps): Promise<readonly Leftover[]> {
  const leftovers: Leftover[] = [];
  for (const step of run.journal.record().steps.filter(owesUndo).reverse()) {
    const error = await undoStep(run, steps, step);
    if (error !== undefined) leftovers.push(leftoverOf(run, step, error));
  }
  return leftovers;
}

/** What earlier calls could not undo, as the journal tells it. */
export function recordedLeftovers(run: Pick<Run, "workflow" | "journal" | "runId">): readonly Leftover[] {
  return run.journal
    .record()
    .steps.filter(owesUndo)
    .map((step) => leftoverOf(run, step, reviveError(step.undoError ?? { name: "Error", message: "" }, run.runId)));
}

/** Why it failed, or undefined if the step is undone. */
async function undoStep(run: Run, steps: Steps, step: StepRecord): Promise<unknown> {
  const { name } = step;
  const put = (change: Partial<StepRecord>): Promise<void> =>
    run.mustWork(() => run.journal.putStep({ kind: "step", name, ...change }));
  const stop = (when: "before" | "ran" | "after"): Promise<void> =>
    run.mustWork(() => run.failpoint(failpointName(when, true, name)));

  await stop("before");
  run.emit({ type: "undo.start", step: name });
  try {
    await callUndo(run, steps.undos.get(step.name), step);
  } catch (error) {
    await put({ state: "undo-failed", undoError: recordError(error) });
    run.emit({ type: "undo.end", step: name, outcome: "error" });
    return error ?? new Error("the undo failed without saying why");
  }
  await stop("ran");
  await put({ state: "undone" });
  run.emit({ type: "undo.end", step: name, outcome: "ok" });
  await stop("after");
  return undefined;
}

/** Calls a step's undo once, or as often as the step may be retried. */
export async function callUndo(
  run: Attempting & Pick<Run, "runId">,
  known: OwedUndo | undefined,
  step: StepRecord,
): Promise<void> {
  if (known === undefined) throw new Error("the workflow no longer has this step: its version should have been raised");
  // The run's own signal is aborted by now; taking back is not what was cancelled.
  const limit = deadline(run.clock, UNDO_TIMEOUT_MS);
  const outcome = step.outcome === "done" ? "done" : "unknown";
  const undo: UndoContext<unknown> = {
    key: stepKey(run.workflow.type, run.runId, step.name),
    signal: limit.signal,
    outcome,
    ...(outcome === "done" ? { result: step.result } : {}),
  };
  try {
    await tryRepeatedly(run, {
      name: step.name,
      retry: known.options.retry,
      signal: limit.signal,
      work: () => known.undo(undo),
    });
  } finally {
    limit.release();
  }
}

export function leftoverOf(run: Pick<Run, "workflow" | "runId">, step: StepRecord, error: unknown): Leftover {
  return {
    step: step.name,
    key: stepKey(run.workflow.type, run.runId, step.name),
    outcome: step.outcome === "done" ? "done" : "unknown",
    ...(step.result === undefined ? {} : { result: step.result }),
    error,
  };
}
