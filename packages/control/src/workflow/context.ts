import { AsyncLocalStorage } from "node:async_hooks";
import { isProviderError, type Step, type StepOptions, type UndoContext, type WorkflowContext } from "@slipway/core";
import type { StepRecord } from "../store/record.ts";
import { stepKey } from "../store/run-steps.ts";
import { cancelled, failpointName, type Run, tryRepeatedly } from "./run.ts";
import { asJson, recordError, reviveError, WorkflowError } from "./workflow-error.ts";

/** An undo with its result's type erased: it is only ever called with its own step's result. */
export type ErasedUndo = (undo: UndoContext<unknown>) => Promise<void>;

/** A step's undo, and how the step is retried. */
export interface OwedUndo {
  readonly undo: ErasedUndo;
  readonly options: StepOptions<unknown>;
}

/** The context that `run` gets, and what the runner reads of it afterwards. */
export interface Steps {
  readonly context: WorkflowContext;
  /** By step; filled as `run` calls its steps, replayed ones too. */
  readonly undos: ReadonlyMap<string, OwedUndo>;
  /** Grows with every call into the context. */
  readonly calls: () => number;
  /** Resolves when no step is running. */
  readonly idle: () => Promise<void>;
  /** From now on no step begins. */
  readonly close: () => void;
}

/**
 * Makes the context. What the journal knows is answered from it. With `replayOnly`, what it does not know never
 * answers: the run has ended there, and is only replayed to find its undos.
 */
export function stepsOf(run: Run, replayOnly: boolean): Steps {
  const names = new Set<string>();
  const undos = new Map<string, OwedUndo>();
  const running = new Set<Promise<unknown>>();
  let calls = 0;
  let sleeps = 0;
  let readings = 0;
  let closed = false;

  const never = new Promise<never>(() => undefined);
  const inStep = new AsyncLocalStorage<string>();
  const mayNest = (name: string): void => {
    const outer = inStep.getStore();
    // A replay does not run the outer step again, and would never hear of the inner one's undo.
    if (outer !== undefined) throw new Error(`${name} was begun inside the step ${outer}: steps do not nest`);
  };
  const mayBegin = (name: string): void => {
    if (closed) throw new Error(`${name} was begun after its workflow had ended: await every step`);
    if (run.signal.aborted) throw cancelled(run, name);
  };
  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    const done = (): void => {
      running.delete(work);
    };
    work.then(done, done);
    return work;
  };

  const step: Step = async <T>(
    name: string,
    work: (step: { readonly key: string; readonly signal: AbortSignal }) => Promise<T>,
    options: StepOptions<T> = {},
  ): Promise<T> => {
    mayNest(name);
    calls += 1;
    if (names.has(name)) throw duplicate(run, name);
    names.add(name);
    // Called with nothing but the result of this very step.
    if (options.undo !== undefined)
      undos.set(name, { undo: options.undo as ErasedUndo, options: options as StepOptions<unknown> });
    const before = run.journal.find("step", name);
    if (before?.error !== undefined) throw reviveError(before.error, run.runId);
    if (before?.outcome === "done") {
      run.emit({ type: "step.replay", step: name });
      // It was checked when it was written; nothing stands for `undefined`.
      return before.result as T;
    }
    if (replayOnly) return never;
    mayBegin(name);
    return track(executeStep(run, name, (given) => inStep.run(name, () => work(given)), options, before));
  };

  const sleep = async (ms: number): Promise<void> => {
    calls += 1;
    sleeps += 1;
    const name = `${sleeps}`;
    const before = run.journal.find("sleep", name);
    if (before?.state === "done") return;
    if (replayOnly) return never;
    mayBegin("sleep");
    const until = typeof before?.result === "number" ? before.result : run.clock.now() + Math.max(0, ms);
    if (before === undefined) await run.mustWork(() => run.journal.putStep({ kind: "sleep", name, result: until }));
    const left = until - run.clock.now();
    if (left > 0) {
      await run.clock.sleep(left, run.signal).catch((error: unknown) => {
        mayBegin("sleep");
        throw error;
      });
    }
    await run.mustWork(() => run.journal.putStep({ kind: "sleep", name, state: "done" }));
  };

  const now = async (): Promise<number> => {
    calls += 1;
    readings += 1;
    const name = `${readings}`;
    const before = run.journal.find("now", name);
    if (typeof before?.result === "number") return before.result;
    if (replayOnly) return never;
    const result = run.clock.now();
    await run.mustWork(() => run.journal.putStep({ kind: "now", name, state: "done", result }));
    return result;
  };

  return {
    context: { step, sleep: (ms) => track(sleep(ms)), now: () => track(now()), signal: run.signal, runId: run.runId },
    undos,
    calls: () => calls,
    close: () => {
      closed = true;
    },
    idle: async () => {
      while (running.size > 0) await Promise.allSettled([...running]);
    },
  };
}

/** Runs a step that the journal does not know as finished, and records how it ended before anybody learns of it. */
async function executeStep<T>(
  run: Run,
  name: string,
  work: (step: { readonly key: string; readonly signal: AbortSignal }) => Promise<T>,
  options: StepOptions<T>,
  before: StepRecord | undefined,
): Promise<T> {
  const put = (change: Partial<StepRecord>): Promise<void> =>
    run.mustWork(() => run.journal.putStep({ kind: "step", name, ...change }));
  const stop = (when: "before" | "ran" | "after"): Promise<void> =>
    run.mustWork(() => run.failpoint(failpointName(when, false, name)));

  await stop("before");
  // Written first: should the process die in the step, its undo is owed.
  if (before === undefined) await put({ state: "started", undoable: options.undo !== undefined });
  run.emit({ type: "step.start", step: name });
  // Begun before by a process that died: it may have had its effect then.
  let mayHaveActed = before !== undefined;
  try {
    const answer: unknown = await tryRepeatedly(run, {
      name,
      retry: options.retry,
      signal: run.signal,
      work: () => work({ key: stepKey(run.workflow.type, run.runId, name), signal: run.signal }),
      failed: (error) => {
        mayHaveActed ||= !isProviderError(error) || error.effect !== "none";
      },
    });
    // A copy, as a replay would give: the workflow cannot change what was recorded.
    const result = asJson(answer);
    if (result === undefined && answer !== undefined) {
      mayHaveActed = true;
      throw notJson(run, name);
    }
    await stop("ran");
    await put({ state: "done", outcome: "done", ...(result === undefined ? {} : { result }) });
    run.emit({ type: "step.end", step: name, outcome: "ok" });
    await stop("after");
    return (result === undefined ? undefined : asJson(result)) as T;
  } catch (error) {
    await put({ state: "failed", outcome: mayHaveActed ? "unknown" : "none", error: recordError(error) });
    run.emit({ type: "step.end", step: name, outcome: "error" });
    throw error;
  }
}

export function duplicate(run: Pick<Run, "workflow" | "runId">, name: string): WorkflowError {
  const message = `${run.workflow.type} has two steps named ${JSON.stringify(name)}: give each its own name`;
  return new WorkflowError("DUPLICATE_STEP", { message, runId: run.runId });
}

export function notJson(run: Pick<Run, "runId">, name: string): WorkflowError {
  return new WorkflowError("RESULT_NOT_JSON", {
    message: `the result of ${JSON.stringify(name)} is not JSON: answer plain objects, lists, texts, numbers, booleans or null`,
    runId: run.runId,
  });
}
