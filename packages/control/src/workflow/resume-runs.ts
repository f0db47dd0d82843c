import { type Clock, systemClock, type Workflow } from "@slipway/core";
import { atMost } from "../at-most.ts";
import type { RunRecord } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import { type RunOptions, resumeRun } from "./run-workflow.ts";
import { owesUndo } from "./undo.ts";
import { isWorkflowError } from "./workflow-error.ts";

/** Which workflows a host goes on with, and how. */
export interface ResumeOptions extends Pick<RunOptions, "graceMs" | "onEvent" | "failpoint"> {
  readonly clock?: Clock | undefined;
  /** How many runs are under way at once in this call; 16 if absent. A run that sleeps keeps its place. */
  readonly concurrency?: number | undefined;
  /** Walks again so long after the last walk, until `signal` aborts. One walk if absent. */
  readonly everyMs?: number | undefined;
  /**
   * Once it aborts, no run is begun, and the call resolves. Runs under way go on until they end or the process does: nothing
   * is undone because a host stops, and the next host goes on with what is left.
   */
  readonly signal?: AbortSignal | undefined;
  /** Tries the undos of failed runs that left something again, too, once in each walk. Only runs that have not ended if absent. */
  readonly leftovers?: boolean | undefined;
  /** Called for each run that ended here, and each that could not be resumed. What it throws is ignored. */
  readonly onOutcome?: ((outcome: ResumeOutcome) => void) | undefined;
}

/**
 * What became of one run. `completed` and `failed`: it has ended, undone where it failed. `busy`: another holder has its
 * lease. `no-workflow`: none was given of its type and version. `stopped`: it is where it was, because of `error`.
 */
export interface ResumeOutcome {
  readonly runId: string;
  readonly type: string;
  readonly version: number;
  readonly outcome: "completed" | "failed" | "busy" | "no-workflow" | "stopped";
  /** Why; absent where it completed. */
  readonly error?: unknown;
}

/** What one or more walks did. */
export interface ResumeReport {
  readonly completed: number;
  readonly failed: number;
  /** Runs that another holder went on with, in the last walk. */
  readonly busy: number;
  /** Runs that go on in this process: more than none only where `signal` aborted. */
  readonly underWay: number;
  /** What could not be resumed when it was last tried, each run once, and why. */
  readonly notResumed: readonly ResumeOutcome[];
  /** Why the last walk did not see every record; absent if it did. What it could read, it resumed. */
  readonly unread?: unknown;
}

/**
 * Goes on with every run of a store whose process is gone, for hosts without an engine: each host calls it, and of several
 * exactly one gets a run, by its lease. It goes by what stands in the store and by nothing that it was told: a run that one
 * walk missed is found by the next. A run is resumed with the workflow of its own type and version, its recorded input and
 * its recorded `maxDurationMs`.
 *
 * @example
 * ```ts
 * import type { Workflow } from "@slipway/core";
 *
 * export async function afterRestart(workflows: readonly Workflow[]): Promise<void> {
 *   const { completed, failed, notResumed } = await resumeRuns(store, workflows, { concurrency: 4 });
 *   console.log(completed, "completed", failed, "failed", notResumed);
 * }
 * ```
 */
export async function resumeRuns(
  store: Store,
  workflows: readonly Workflow[],
  options: ResumeOptions = {},
): Promise<ResumeReport> {
  const { everyMs, signal, clock = systemClock } = options;
  const known = byTypeAndVersion(workflows);
  const { concurrency = 16 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TypeError("resumeRuns: concurrency must be a whole number of at least 1");
  }
  const host = hostOf(options, concurrency);
  const walkOnce = () => walk(store, host, known, options);
  let seen = await walkOnce();
  while (everyMs !== undefined && signal?.aborted !== true) {
    const slept = await clock.sleep(everyMs, signal).then(
      () => true,
      () => false,
    );
    if (slept) seen = await walkOnce();
  }
  await host.idle();
  return { ...host.counts(), ...seen };
}

function byTypeAndVersion(workflows: readonly Workflow[]): ReadonlyMap<string, Workflow> {
  const known = new Map<string, Workflow>();
  for (const workflow of workflows) {
    const name = nameOf(workflow);
    if (known.has(name)) throw new TypeError(`resumeRuns was given two workflows ${name}: give one`);
    known.set(name, workflow);
  }
  return known;
}

function nameOf({ type, version }: Pick<Workflow, "type" | "version">): string {
  return `${type} version ${version}`;
}

/** What a host has under way, and what became of it, over all its walks. */
interface Host {
  /** Resolves when the run has its place, not when it ends. */
  readonly begin: (record: RunRecord, work: () => Promise<ResumeOutcome>) => Promise<void>;
  readonly isUnderWay: (runId: string) => boolean;
  readonly note: (outcome: ResumeOutcome) => void;
  /** From here on `busy` and what is gone from the store are counted anew. */
  readonly beginWalk: () => void;
  readonly idle: () => Promise<void>;
  readonly counts: () => Omit<ResumeReport, "unread">;
}

function hostOf(options: ResumeOptions, concurrency: number): Host {
  const places = atMost(concurrency);
  const underWay = new Map<string, Promise<void>>();
  const notResumed = new Map<string, ResumeOutcome>();
  let [completed, failed, busy] = [0, 0, 0];
  const note = (outcome: ResumeOutcome): void => {
    notResumed.delete(outcome.runId);
    if (outcome.outcome === "completed") completed += 1;
    else if (outcome.outcome === "failed") failed += 1;
    else if (outcome.outcome === "busy") busy += 1;
    else notResumed.set(outcome.runId, outcome);
    try {
      options.onOutcome?.(outcome);
    } catch {
      // A listener's fault must never become a run's.
    }
  };
  return {
    note,
    isUnderWay: (runId) => underWay.has(runId),
    beginWalk: () => {
      busy = 0;
      notResumed.clear();
    },
    begin: ({ runId }, work) =>
      new Promise((placed) => {
        // A place may be free only in days.
        const waiting = new AbortController();
        options.signal?.addEventListener("abort", () => placed(), { once: true, signal: waiting.signal });
        if (options.signal?.aborted === true) placed();
        const done = places(async () => {
          waiting.abort();
          placed();
          // It may have waited for its place for long: then nobody wants it begun any more.
          if (options.signal?.aborted !== true) note(await work());
        }).finally(() => underWay.delete(runId));
        underWay.set(runId, done);
      }),
    idle: async () => {
      await Promise.race([Promise.all(underWay.values()), aborted(options.signal)]);
    },
    counts: () => ({ completed, failed, busy, underWay: underWay.size, notResumed: [...notResumed.values()] }),
  };
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

/** One walk over the records, in which each run gets a place. Answers why it is not complete. */
async function walk(
  store: Store,
  host: Host,
  known: ReadonlyMap<string, Workflow>,
  options: ResumeOptions,
): Promise<Pick<ResumeReport, "unread">> {
  host.beginWalk();
  const states = ["running", "undoing", ...(options.leftovers === true ? ["failed"] : [])];
  try {
    for await (const { record } of store.entries({ kind: "run", states })) {
      if (options.signal?.aborted === true) break;
      if (record.kind !== "run" || host.isUnderWay(record.runId)) continue;
      if (record.state === "failed" && !record.steps.some(owesUndo)) continue;
      const workflow = known.get(nameOf(record));
      if (workflow === undefined) host.note(notKnown(record));
      else await host.begin(record, () => resume(store, workflow, record, options));
    }
    return {};
  } catch (error) {
    return { unread: error };
  }
}

function notKnown(record: RunRecord): ResumeOutcome {
  const { runId, type, version } = record;
  const message = `${runId} is a run of ${nameOf(record)}, and no such workflow was given: give it, or run it where it is known`;
  return { runId, type, version, outcome: "no-workflow", error: new Error(message) };
}

async function resume(
  store: Store,
  workflow: Workflow,
  record: RunRecord,
  options: ResumeOptions,
): Promise<ResumeOutcome> {
  const { runId, type, version, input } = record;
  const { clock, graceMs, onEvent, failpoint } = options;
  const how = { journal: store, runId, clock, graceMs, onEvent, failpoint };
  try {
    // Nothing stands in a record for `undefined`.
    const given = input === null && !(await takes(workflow, null)) ? undefined : input;
    await resumeRun(workflow, given, how);
    return { runId, type, version, outcome: "completed" };
  } catch (error) {
    return { runId, type, version, outcome: outcomeOf(error), error };
  }
}

async function takes(workflow: Workflow, input: unknown): Promise<boolean> {
  return (await workflow.input["~standard"].validate(input)).issues === undefined;
}

function outcomeOf(error: unknown): ResumeOutcome["outcome"] {
  if (isWorkflowError(error, "BUSY")) return "busy";
  // Nothing was done: the record is as it was.
  if (isStoreError(error) || isWorkflowError(error, "MISMATCH", "INVALID_INPUT")) return "stopped";
  return isWorkflowError(error) ? "failed" : "stopped";
}
