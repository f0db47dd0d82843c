import {
  abortError,
  type Clock,
  isProviderError,
  type Operation,
  ProviderError,
  type StepRetry,
  timestamp,
  type Workflow,
} from "@slipway/core";
import type { RunRecord, StepRecord } from "../store/record.ts";
import { runSteps } from "../store/run-steps.ts";
import type { Journal } from "../store/store.ts";
import { within } from "./within.ts";
import { inspectable } from "./workflow-error.ts";

/** One run while this process works on it. */
export interface Run {
  readonly workflow: Workflow;
  readonly runId: string;
  readonly journal: RunJournal;
  readonly clock: Clock;
  /** Aborts on cancellation, past the longest duration, and when a step beside fails the run. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly emit: (event: DistributiveOmit<WorkflowEvent, "at" | "workflow" | "runId">) => void;
  /** Runs what must not fail, as writing the journal. Its failure stops the run as a kill would, and it never resolves. */
  readonly mustWork: (work: () => void | Promise<void>) => Promise<void>;
  readonly failpoint: (name: string) => void | Promise<void>;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Where a run can be made to stop: `before:<step>`, `ran:<step>` (not yet recorded), `after:<step>`, and the same with `undo-`. */
export function failpointName(when: "before" | "ran" | "after", undo: boolean, step: string): string {
  return `${undo ? "undo-" : ""}${when}:${step}`;
}

/** The error of a step that did not begin, or of a wait that ended, because the run is over. */
export function cancelled(run: Pick<Run, "workflow" | "signal">, operation: Operation): ProviderError {
  return abortError(run.signal, { provider: run.workflow.type, operation, effect: "none" });
}

/** What of a run its attempts need. */
export type Attempting = Pick<Run, "workflow" | "clock" | "graceMs" | "emit">;

/** How one attempt is made, and what is remembered of it. */
interface Attempts<T> {
  readonly name: string;
  readonly retry: StepRetry | undefined;
  readonly signal: AbortSignal;
  readonly work: () => Promise<T>;
  /** Told every failure, also those that are tried again. */
  readonly failed?: (error: unknown) => void;
}

/** Tries as often as `retry` allows, as long as the error is retryable and the signal is not aborted. */
export async function tryRepeatedly<T>(run: Attempting, attempts: Attempts<T>): Promise<T> {
  const { name, retry, signal, work } = attempts;
  const most = retry?.attempts ?? 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // An async wrapper, so that a function that throws at once is a failed attempt as every other.
      const promise = (async () => work())();
      return await within(promise, { signal, clock: run.clock, graceMs: run.graceMs }, () => abandoned(run, name));
    } catch (thrown) {
      const error = inspectable(thrown);
      attempts.failed?.(error);
      if (attempt >= most || signal.aborted || !isProviderError(error) || !error.retryable || error.exhausted) {
        throw error;
      }
      const delayMs = Math.max(retry?.delayMs ?? 0, error.retryAfterMs ?? 0);
      run.emit({ type: "step.retry", step: name, code: error.code, delayMs });
      // Cancelled while waiting: the failure itself is what happened to the step.
      const slept = await run.clock.sleep(delayMs, signal).then(
        () => true,
        () => false,
      );
      if (!slept) throw error;
    }
  }
}

function abandoned(run: Attempting, name: string): ProviderError {
  return new ProviderError("CANCELLED", {
    message: `${name} did not stop when it was cancelled; whether it goes on is not known`,
    provider: run.workflow.type,
    operation: name,
    effect: "unknown",
  });
}

export function emitterFor(
  workflow: Workflow,
  runId: string,
  clock: Clock,
  onEvent: ((event: WorkflowEvent) => void) | undefined,
): Run["emit"] {
  return (event) => {
    try {
      onEvent?.({ at: timestamp(clock), workflow: workflow.type, runId, ...event });
    } catch {
      // A listener's fault must never become the run's.
    }
  };
}

/** What happens in a run, for progress, logs and tests. JSON-safe; it holds names and codes, never a result. */
export type WorkflowEvent = {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly workflow: string;
  readonly runId: string;
} & (
  | { readonly type: "run.start" | "run.resume" | "run.undo" }
  | { readonly type: "run.end"; readonly outcome: "ok" | "error"; readonly code?: string }
  | { readonly type: "step.start" | "step.replay" | "undo.start"; readonly step: string }
  | { readonly type: "step.retry"; readonly step: string; readonly code: string; readonly delayMs: number }
  | { readonly type: "step.end" | "undo.end"; readonly step: string; readonly outcome: "ok" | "error" }
);

/** The record of one run, and its only writer while the run goes on. */
export interface RunJournal {
  readonly record: () => RunRecord;
  readonly find: (kind: StepRecord["kind"], name: string) => StepRecord | undefined;
  /** Resolves when it is durable. Writes go out one after the other, as steps may run side by side. */
  readonly update: (change: Partial<Omit<RunRecord, "steps">>) => Promise<void>;
  /** Adds a step, or changes the one of this kind and name. */
  readonly putStep: (step: Pick<StepRecord, "kind" | "name"> & Partial<StepRecord>) => Promise<void>;
}

const NEW_STEP = { state: "started", undoable: false } as const;

export function runJournal(journal: Journal, id: string, first: RunRecord): RunJournal {
  let current = first;
  const steps = runSteps(first.steps);
  let written: Promise<void> = Promise.resolve();

  const record = (): RunRecord => ({ ...current, steps: steps.all() });
  const write = (work: () => Promise<void>): Promise<void> => {
    // After a failed write nothing more is written: a later record must not hide that one is missing.
    written = written.then(work);
    return written;
  };
  const writeWhole = (): Promise<void> => {
    const whole = record();
    return write(() => journal.write(id, whole));
  };

  return {
    record,
    find: steps.find,
    update: (change) => {
      current = { ...current, ...change };
      return writeWhole();
    },
    putStep: (change) => {
      const step = { ...NEW_STEP, ...steps.find(change.kind, change.name), ...change };
      steps.put(step);
      // The whole record for each step would be written as often as there are steps.
      return journal.appendStep === undefined ? writeWhole() : write(async () => journal.appendStep?.(id, step));
    },
  };
}
