import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineFixture, type EngineHarness, engineSuite } from "@slipway/contract-tests/workflow-engine";
import { type EngineOutcome, outputOf } from "@slipway/control/engine";
import { systemClock, type Workflow } from "@slipway/core";
import { asyncLocalStorage, Context } from "@temporalio/activity";
import {
  ActivityCancellationDetails,
  CancelledFailure,
  noopMetricMeter,
  type Workflow as TemporalWorkflow,
} from "@temporalio/common";
import {
  type Command,
  fromPayload,
  type Job,
  type ReplayedRun,
  type Resolution,
  replayRun,
  toPayload,
} from "./replayed-run.ts";

/** The recipe as its page shows it. */
export interface Recipe {
  readonly slipwayRun: TemporalWorkflow;
  readonly slipwayActivities: (
    workflows: readonly Workflow[],
    options: { readonly failpoint: (name: string) => Promise<void>; readonly graceMs: number },
  ) => { readonly advance: (call: never) => Promise<unknown> };
}

/** An activity that the server has, and that no worker has finished. */
interface PendingActivity {
  readonly call: unknown;
  readonly waitsForItsEnd: boolean;
  isCancelRequested: boolean;
  attempts: number;
  /** The worker's attempt at it, which a cancellation is sent to. */
  cancel: (() => void) | undefined;
}

/** A run as the server keeps it. */
interface KeptRun {
  readonly id: string;
  /** All that the run was told, in order. */
  readonly history: Job[];
  /** All that it asked for, in order: a replay asks for the same. */
  readonly asked: string[];
  readonly activities: Map<number, PendingActivity>;
  /** When timers fire. */
  readonly timers: Map<number, number>;
  readonly ended: PromiseWithResolvers<EngineOutcome>;
  isOver: boolean;
}

const WAIT_CANCELLATION_COMPLETED = 1;
const CANCEL: Job = { variant: "cancelWorkflow", cancelWorkflow: {} };
const never = new Promise<never>(() => undefined);

/**
 * A server of Temporal with one worker in this process, which can die: then whatever it does comes to nothing. `cancelAt`: a run is
 * cancelled right before its server gets this entry.
 */
export function temporalStandIn(recipe: Recipe, cancelAt?: string): EngineHarness {
  return { create: () => createFixture(recipe, cancelAt) };
}

async function createFixture(recipe: Recipe, cancelAt: string | undefined): Promise<EngineFixture> {
  const world = await mkdtemp(join(tmpdir(), "slipway-temporal-"));
  const runs = new Map<string, KeptRun>();
  const idOf = (type: string, runId: string): string => JSON.stringify([type, runId]);
  const runOf = (type: string, runId: string): KeptRun => {
    const run = runs.get(idOf(type, runId));
    if (run === undefined) throw new Error(`no run ${runId} of ${type}`);
    return run;
  };
  let worker = startWorker(world, recipe, cancelAt);
  return {
    world,
    begin: async (type, input, { runId, maxDurationMs = null }) => {
      const ended = Promise.withResolvers<EngineOutcome>();
      ended.promise.catch(() => undefined);
      const id = idOf(type, runId);
      const begun = { activities: new Map(), timers: new Map(), isOver: false, asked: [] };
      const run: KeptRun = { id, history: [], ended, ...begun };
      runs.set(id, run);
      const given = [toPayload({ type, runId, input: input ?? null, maxDurationMs })];
      worker.take(run, { variant: "initializeWorkflow", initializeWorkflow: { arguments: given } });
    },
    result: async (type, runId) => {
      const run = runOf(type, runId);
      const workflow = worker.workflows.find((one) => one.type === type);
      if (workflow === undefined) throw new Error(`no workflow ${type}`);
      return outputOf(workflow, runId, await run.ended.promise);
    },
    cancel: async (type, runId) => worker.tell(runOf(type, runId), CANCEL),
    died: () => worker.died,
    restart: async () => {
      worker = startWorker(world, recipe, cancelAt);
      for (const run of runs.values()) if (!run.isOver) worker.take(run);
    },
    dispose: async () => {
      worker.stop();
      await rm(world, { recursive: true, force: true });
    },
  };
}

function startWorker(world: string, { slipwayRun, slipwayActivities }: Recipe, cancelAt: string | undefined) {
  const died = Promise.withResolvers<void>();
  let isDead = false;
  const stopping = new AbortController();
  const die = (): Promise<never> => {
    isDead = true;
    stopping.abort();
    died.resolve();
    return never;
  };
  const { workflows, failpoint } = engineSuite(world, die);
  const { advance } = slipwayActivities(workflows, { failpoint, graceMs: 5_000 });
  const replayed = new Map<string, { readonly code: ReplayedRun; told: Promise<void> }>();

  /** The next job of a run: kept first, and then given to its code, if this worker lives. */
  const tell = (run: KeptRun, job: Job): void => {
    if (run.isOver) return;
    run.history.push(job);
    const mine = replayed.get(run.id);
    if (mine === undefined || isDead) return;
    mine.told = mine.told.then(async () => {
      if (!isDead && !run.isOver) for (const command of await mine.code.deliver(job)) obey(run, command);
    });
    mine.told.catch(run.ended.reject);
  };

  const obey = (run: KeptRun, command: Command): void => {
    run.asked.push(JSON.stringify(command));
    const { scheduleActivity, requestCancelActivity, startTimer, cancelTimer } = command;
    const { completeWorkflowExecution, failWorkflowExecution, cancelWorkflowExecution } = command;
    if (scheduleActivity) {
      const [call] = scheduleActivity.arguments ?? [];
      const seq = scheduleActivity.seq ?? 0;
      run.activities.set(seq, {
        call: call && fromPayload(call),
        waitsForItsEnd: scheduleActivity.cancellationType === WAIT_CANCELLATION_COMPLETED,
        isCancelRequested: false,
        attempts: 0,
        cancel: undefined,
      });
      attempt(run, seq);
    } else if (requestCancelActivity) requestCancel(run, requestCancelActivity.seq ?? 0);
    else if (startTimer) {
      const { seconds, nanos } = startTimer.startToFireTimeout ?? {};
      run.timers.set(startTimer.seq ?? 0, Date.now() + Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6);
      wait(run, startTimer.seq ?? 0);
    } else if (cancelTimer) run.timers.delete(cancelTimer.seq ?? 0);
    else if (completeWorkflowExecution) {
      run.isOver = true;
      // `slipwayRun` answers nothing else.
      run.ended.resolve(fromPayload(completeWorkflowExecution.result ?? {}) as EngineOutcome);
    } else if (failWorkflowExecution || cancelWorkflowExecution) {
      run.isOver = true;
      run.ended.reject(new Error(`Temporal ended the run itself: ${JSON.stringify(command)}`));
    }
  };

  const resolve = (run: KeptRun, seq: number, result: Resolution): void => {
    if (run.activities.delete(seq)) tell(run, { variant: "resolveActivity", resolveActivity: { seq, result } });
  };

  const requestCancel = (run: KeptRun, seq: number): void => {
    const pending = run.activities.get(seq);
    if (pending === undefined) return;
    pending.isCancelRequested = true;
    const hasNoWorker = pending.cancel === undefined;
    pending.cancel?.();
    if (!pending.waitsForItsEnd)
      resolve(run, seq, { cancelled: { failure: activityFailure({ canceledFailureInfo: {} }) } });
    else if (hasNoWorker) timedOut(run, seq);
  };

  /** Its worker has died and the run is cancelled: the server does not try it again. */
  const timedOut = (run: KeptRun, seq: number): void =>
    resolve(run, seq, { failed: { failure: activityFailure({ timeoutFailureInfo: { timeoutType: 4 } }) } });

  /** As a worker calls the activity. What it does after the worker's death comes to nothing. */
  const attempt = (run: KeptRun, seq: number): void => {
    const pending = run.activities.get(seq);
    if (pending === undefined) return;
    pending.attempts += 1;
    const aborting = new AbortController();
    const cancelled = Promise.withResolvers<never>();
    cancelled.promise.catch(() => undefined);
    const details: { details?: ActivityCancellationDetails } = {};
    pending.cancel = () => {
      const failure = new CancelledFailure("CANCELLED");
      details.details = new ActivityCancellationDetails({ cancelRequested: true });
      cancelled.reject(failure);
      aborting.abort(failure);
    };
    const context = new Context(
      activityInfo(run.id, seq, pending.attempts),
      cancelled.promise,
      aborting.signal,
      () => undefined,
      undefined,
      QUIET,
      noopMetricMeter,
      details,
    );
    // As JSON, which is how a worker gets it.
    const call = JSON.parse(JSON.stringify(pending.call)) as never;
    asyncLocalStorage
      .run(context, () => advance(call))
      .then(
        (next) => {
          if (isDead) return;
          const { name } = Object(Reflect.get(Object(next), "entry"));
          if (cancelAt !== undefined && name === cancelAt) tell(run, CANCEL);
          resolve(run, seq, { completed: { result: toPayload(next) } });
        },
        (error: unknown) => {
          // A server would try it again without end.
          if (!isDead) run.ended.reject(error);
        },
      );
  };

  const wait = (run: KeptRun, seq: number): void => {
    const left = (run.timers.get(seq) ?? 0) - Date.now();
    void systemClock.sleep(Math.max(0, left), stopping.signal).then(
      () => {
        if (run.timers.delete(seq)) tell(run, { variant: "fireTimer", fireTimer: { seq } });
      },
      () => undefined,
    );
  };

  /** Replays what a run was told, checks that it asks for what it asked for, and goes on with what is pending. */
  const replay = async (run: KeptRun, code: ReplayedRun): Promise<void> => {
    const asked = [...run.asked];
    const told = run.history.length;
    for (const job of run.history.slice(0, told)) {
      for (const command of await code.deliver(job)) {
        const before = asked.shift();
        if (before === undefined) obey(run, command);
        else if (before !== JSON.stringify(command))
          throw new Error(`a replay asks for ${JSON.stringify(command)} where the run asked for ${before}`);
      }
    }
    for (const [seq, pending] of run.activities) {
      if (pending.cancel === undefined) continue;
      pending.cancel = undefined;
      if (pending.isCancelRequested) timedOut(run, seq);
      else attempt(run, seq);
    }
    for (const seq of run.timers.keys()) wait(run, seq);
  };

  return {
    workflows,
    died: died.promise,
    tell,
    /** Takes a run over, from its first job on. */
    take: (run: KeptRun, first?: Job): void => {
      const code = replayRun(run.id, slipwayRun);
      const told = first === undefined ? replay(run, code) : Promise.resolve();
      told.catch(run.ended.reject);
      replayed.set(run.id, { code, told });
      if (first !== undefined) tell(run, first);
    },
    stop: (): void => void die(),
  };
}

function activityFailure(cause: object): object {
  const activityFailureInfo = { activityType: { name: "advance" }, activityId: "1", identity: "" };
  return { message: "Activity task failed", activityFailureInfo, cause: { message: "of the server", ...cause } };
}

const silent = (): void => undefined;
const QUIET = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };

const activityInfo = (id: string, seq: number, attempt: number): Context["info"] => ({
  taskToken: new Uint8Array(),
  base64TaskToken: "",
  activityId: String(seq),
  activityType: "advance",
  activityNamespace: "default",
  attempt,
  isLocal: false,
  workflowExecution: { workflowId: id, runId: id },
  scheduledTimestampMs: 0,
  scheduleToCloseTimeoutMs: 0,
  startToCloseTimeoutMs: 0,
  currentAttemptScheduledTimestampMs: 0,
  heartbeatDetails: undefined,
  taskQueue: "slipway",
  namespace: "default",
  inWorkflow: true,
});
