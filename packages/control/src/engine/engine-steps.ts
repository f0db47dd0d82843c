import { AsyncLocalStorage } from "node:async_hooks";
import { isProviderError, type Step, type StepContext, type StepOptions, type WorkflowContext } from "@slipway/core";
import type { JsonValue, RecordedError, StepRecord } from "../store/record.ts";
import { stepKey } from "../store/run-steps.ts";
import { duplicate, type ErasedUndo, notJson, type OwedUndo } from "../workflow/context.ts";
import { cancelled, failpointName, tryRepeatedly } from "../workflow/run.ts";
import { asJson, recordError, reviveError } from "../workflow/workflow-error.ts";
import type { EngineRun } from "./engine-run.ts";

/** How a step ended, as the engine keeps it: for the engine each is a success. */
type StepOutcome =
  | { readonly ok: true; readonly result?: JsonValue }
  | { readonly ok: false; readonly outcome: "unknown" | "none"; readonly error: RecordedError };

/** A step that has begun, with what undoes it. */
export interface BegunStep {
  readonly record: StepRecord;
  readonly undo: OwedUndo | undefined;
}

export interface EngineSteps {
  readonly context: WorkflowContext;
  /** In the order in which they began. */
  readonly begun: () => readonly BegunStep[];
  /** Resolves when no step is running. */
  readonly idle: () => Promise<void>;
  /** From now on no step begins. */
  readonly close: () => void;
}

/**
 * The context that a workflow gets on an engine. An engine finds an entry again by its place in the run, so steps and
 * sleeps that the workflow begins side by side run one after the other, in the order in which they were called.
 */
export function engineSteps(run: EngineRun): EngineSteps {
  const names = new Set<string>();
  const begun: BegunStep[] = [];
  const inStep = new AsyncLocalStorage<string>();
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let sleeps = 0;
  let readings = 0;

  const queued = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const outer = inStep.getStore();
    // It would wait for the step that it is in; and a replay does not run that step again.
    if (outer !== undefined)
      return Promise.reject(new Error(`${name} was begun inside the step ${outer}: steps do not nest`));
    const mine = last.then(() => {
      if (closed) throw new Error(`${name} was begun after its workflow had ended: await every step`);
      if (run.over() !== null) throw cancelled(run, name);
      return work();
    });
    // Where it failed, the workflow gets a turn to end before the next one begins.
    last = mine.catch(() => new Promise((resolve) => setImmediate(resolve)));
    return mine;
  };

  const step: Step = async <T>(
    name: string,
    work: (step: StepContext) => Promise<T>,
    options: StepOptions<T> = {},
  ): Promise<T> => {
    if (names.has(name)) throw duplicate(run, name);
    names.add(name);
    return queued(name, () => executeStep(run, begun, name, (given) => inStep.run(name, () => work(given)), options));
  };
  const sleep = (ms: number): Promise<void> => {
    sleeps += 1;
    const name = `sleep ${sleeps}`;
    return queued(name, async () => {
      const stamp = await run.ask(`begin ${name}`, async () => run.stamp());
      run.heed(stamp, name);
      const left = run.until - stamp.at;
      await run.rest(Math.max(0, Math.min(ms, left)), name);
      if (ms > left) run.heed({ at: run.until, cancelled: false }, name);
    });
  };
  const now = (): Promise<number> => {
    readings += 1;
    const name = `now ${readings}`;
    return queued(name, () => run.ask(name, async () => run.clock.now()));
  };

  return {
    context: { step, sleep, now, signal: run.signal, runId: run.runId },
    begun: () => begun,
    close: () => {
      closed = true;
    },
    idle: async () => {
      for (let seen: unknown; seen !== last; await last) seen = last;
    },
  };
}

async function executeStep<T>(
  run: EngineRun,
  begun: BegunStep[],
  name: string,
  work: (step: StepContext) => Promise<T>,
  options: StepOptions<T>,
): Promise<T> {
  const stop = (when: "before" | "after"): Promise<void> =>
    run.mustWork(() => run.failpoint(failpointName(when, false, name)));
  let isFirst = run.repeats === false;
  await stop("before");
  const stamp = await run.ask(`begin ${name}`, async () => {
    isFirst = run.repeats !== true;
    return run.stamp();
  });
  run.heed(stamp, name);

  const own = attemptOnce(run, name, work, options, () => isFirst);
  // Begun before it runs: an engine that gives it up still owes its undo.
  const note = noteBegun(begun, name, options);
  let outcome: StepOutcome;
  try {
    outcome = await run.ask(`step ${name}`, own.attempt);
  } catch (error) {
    // The engine no longer waits for it. It runs on here all the same, and is undone only when it has ended.
    await own.ended();
    throw error;
  }
  note(outcome);
  if (!outcome.ok) throw reviveError(outcome.error, run.runId);
  await stop("after");
  // What was kept was checked when it was; nothing stands for `undefined`.
  return outcome.result as T;
}

/** Adds a step to those that have begun; how it ended is unknown until it is noted. */
function noteBegun(begun: BegunStep[], name: string, options: StepOptions<never>): (outcome: StepOutcome) => void {
  const place = begun.length;
  const record: StepRecord = { name, kind: "step", state: "started", undoable: options.undo !== undefined };
  // Called with nothing but the result of this very step.
  const undo = options.undo === undefined ? undefined : { undo: options.undo as ErasedUndo, options };
  begun.push({ record, undo: undo as OwedUndo | undefined });
  return (outcome) => {
    const end = outcome.ok ? "done" : outcome.outcome;
    const result = outcome.ok && outcome.result !== undefined ? { result: outcome.result } : {};
    begun[place] = { record: { ...record, outcome: end, ...result }, undo: undo as OwedUndo | undefined };
  };
}

/** The work of one step as the engine calls it, and the end of what runs of it here. */
function attemptOnce<T>(
  run: EngineRun,
  name: string,
  work: (step: StepContext) => Promise<T>,
  { retry }: StepOptions<T>,
  isFirst: () => boolean,
): { readonly attempt: () => Promise<StepOutcome>; readonly ended: () => Promise<unknown> } {
  let running: Promise<unknown> = Promise.resolve();
  let isGivenUp = false;
  const attempt = async (): Promise<StepOutcome> => {
    // Begun by an earlier process, which may have come as far as its effect.
    let mayHaveActed = !isFirst();
    run.emit({ type: "step.start", step: name });
    try {
      const tries = tryRepeatedly(run, {
        name,
        retry,
        signal: run.signal,
        work: () => work({ key: stepKey(run.workflow.type, run.runId, name), signal: run.signal }),
        failed: (error) => {
          mayHaveActed ||= !isProviderError(error) || error.effect !== "none";
        },
      });
      const answer: unknown = await run.track(tries);
      const result = asJson(answer);
      if (result === undefined && answer !== undefined) {
        mayHaveActed = true;
        throw notJson(run, name);
      }
      await run.mustWork(() => run.failpoint(failpointName("ran", false, name)));
      run.emit({ type: "step.end", step: name, outcome: "ok" });
      return result === undefined ? { ok: true } : { ok: true, result };
    } catch (error) {
      run.emit({ type: "step.end", step: name, outcome: "error" });
      return { ok: false, outcome: mayHaveActed ? "unknown" : "none", error: recordError(error) };
    }
  };
  return {
    attempt: () => {
      // An engine that gave it up must not begin it beside its undo.
      if (isGivenUp) return new Promise(() => undefined);
      const mine = attempt();
      running = mine;
      return mine;
    },
    ended: () => {
      isGivenUp = true;
      return running;
    },
  };
}
