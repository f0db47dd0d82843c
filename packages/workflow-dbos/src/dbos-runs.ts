import { AsyncLocalStorage } from "node:async_hooks";
import { isWorkflowError, type RunOptions, WorkflowError } from "@slipway/control";
import {
  EngineCancelled,
  type EngineOutcome,
  outputOf,
  runOnEngine,
  type WorkflowEngine,
} from "@slipway/control/engine";
import { type Clock, canonicalJson, systemClock, type Workflow } from "@slipway/core";

/** What the binding uses of a handle of DBOS. */
export interface DbosHandle<Return> {
  readonly getResult: () => Promise<Return>;
  readonly getStatus: () => Promise<{ readonly input?: unknown } | null>;
}

/** What the binding uses of the class `DBOS` of `@dbos-inc/dbos-sdk`: give it that class. */
export interface Dbos {
  registerWorkflow<Args extends unknown[], Return>(
    work: (...args: Args) => Promise<Return>,
    config: { readonly name: string; readonly maxRecoveryAttempts: number },
  ): (...args: Args) => Promise<Return>;
  startWorkflow<Args extends unknown[], Return>(
    work: (...args: Args) => Promise<Return>,
    params: { readonly workflowID: string },
  ): (...args: Args) => Promise<DbosHandle<Return>>;
  retrieveWorkflow<Return>(id: string): { readonly getResult: () => Promise<Awaited<Return>> };
  getWorkflowStatus(id: string): Promise<object | null>;
  runStep<Return>(work: () => Promise<Return>, config: { readonly name: string }): Promise<Return>;
  getEvent<T>(workflowID: string, key: string, timeoutSeconds: number): Promise<T | null>;
  setEvent<T>(key: string, value: T): Promise<void>;
  readonly logger: { readonly error: (entry: unknown) => void };
}

export interface DbosOptions extends Pick<RunOptions, "graceMs" | "onEvent" | "failpoint"> {
  readonly clock?: Clock | undefined;
  /** How often a run looks whether it was cancelled while a step is under way; 1 000 if absent. */
  readonly lookMs?: number | undefined;
}

/** Runs on DBOS. Every process that may get one has registered the same workflows. */
export interface DbosRuns {
  /** Begins a run, or finds the one of this id. MISMATCH if that has another input. */
  readonly begin: <In>(
    workflow: Workflow<In>,
    input: NoInfer<In>,
    options: { readonly runId: string; readonly maxDurationMs?: number | undefined },
  ) => Promise<void>;
  /** The output of a run, as soon as it has ended; rejects with its WorkflowError. */
  readonly result: <Out>(workflow: Pick<Workflow<unknown, Out>, "type" | "output">, runId: string) => Promise<Out>;
  /** Cancels a run: what it did is undone. DBOS's own `cancelWorkflow` stops it and undoes nothing. */
  readonly cancel: (workflow: Pick<Workflow, "type">, runId: string) => Promise<void>;
}

type Limit = { readonly maxDurationMs: number | null };
type Registered = (runId: string, input: unknown, limit: Limit) => Promise<EngineOutcome>;

const CANCELLED = "cancelled";
// DBOS gives up a run that it has recovered 100 times, with nothing undone: a host that is often restarted gets there.
const maxRecoveryAttempts = Number.MAX_SAFE_INTEGER;
/** The longest that one call waits. */
const LONGEST_WAIT_MS = 86_400_000;
/** The codes of DBOS's errors that are meant for DBOS itself. */
const CONFLICT = 5;
const STOPPED = 24;
// As seen from no workflow: what is looked at there is no entry of a run.
const outside = AsyncLocalStorage.snapshot();

/** DBOS's id of a run: one in the whole database, so it holds the type. */
const idOf = (type: string, runId: string): string => JSON.stringify([type, runId]);
const cancelIdOf = (type: string, runId: string): string => JSON.stringify([type, runId, CANCELLED]);

/**
 * Registers the workflows with DBOS; to be called before `DBOS.launch()`.
 *
 * @example
 * ```ts
 * import { DBOS } from "@dbos-inc/dbos-sdk";
 * import { register } from "@slipway/provider-aws";
 *
 * const { workflows } = await register({ regions: ["eu-central-1"] }, { owner: "me", variables: process.env });
 *
 * const runs = dbosRuns(DBOS, [workflows.multiAz]); // before the launch of DBOS
 * DBOS.setConfig({ name: "fleet", systemDatabaseUrl: "postgres://localhost/dbos", executorID: "host-1", applicationVersion: "1" });
 * await DBOS.launch();
 * await runs.begin(workflows.multiAz, { spawn: { spec: "m5.large" } }, { runId: "build-17", maxDurationMs: 600_000 });
 * ```
 */
export function dbosRuns(dbos: Dbos, workflows: readonly Workflow[], options: DbosOptions = {}): DbosRuns {
  const registered = new Map<string, Registered>();
  for (const workflow of workflows) {
    const { type } = workflow;
    const work: Registered = async (runId, input, { maxDurationMs }) => {
      const engine = engineOf(dbos, cancelIdOf(type, runId), options);
      const how = { ...options, runId, maxDurationMs: maxDurationMs ?? undefined };
      try {
        return await runOnEngine(workflow, input, engine, how);
      } catch (error) {
        if (isDbosOwn(error)) throw error;
        // It has to be called again, and DBOS would call it ended, with nothing undone: it stays pending for the next launch, or
        // for a process that has its version.
        if (!isWorkflowError(error, "MISMATCH")) dbos.logger.error(error);
        return new Promise(() => undefined);
      }
    };
    registered.set(type, dbos.registerWorkflow(work, { name: `slipway ${type}`, maxRecoveryAttempts }));
  }
  // A workflow of its own that has been started is what every process sees of a cancellation, also after a crash.
  const cancelling = dbos.registerWorkflow(() => dbos.setEvent(CANCELLED, true), {
    name: "slipway cancel",
    maxRecoveryAttempts,
  });

  return {
    begin: async ({ type }, input, { runId, maxDurationMs = null }) => {
      const work = registered.get(type);
      if (work === undefined) throw new TypeError(`${type} is not registered: give it to dbosRuns`);
      const given = [runId, input ?? null, { maxDurationMs }] as const;
      const handle = await dbos.startWorkflow(work, { workflowID: idOf(type, runId) })(...given);
      const begun: unknown = (await handle.getStatus())?.input;
      if (Array.isArray(begun) && canonicalJson(begun[1]) !== canonicalJson(given[1]))
        throw new WorkflowError("MISMATCH", {
          message: `${runId} is not resumed: it was begun with another input`,
          runId,
        });
    },
    result: async (workflow, runId) => {
      const outcome = await dbos.retrieveWorkflow<EngineOutcome>(idOf(workflow.type, runId)).getResult();
      return outputOf(workflow, runId, outcome);
    },
    cancel: async ({ type }, runId) => {
      const handle = await dbos.startWorkflow(cancelling, { workflowID: cancelIdOf(type, runId) })();
      await handle.getResult();
    },
  };
}

function engineOf(dbos: Dbos, cancelId: string, { clock = systemClock, lookMs = 1000 }: DbosOptions): WorkflowEngine {
  const cancelled = new AbortController();
  const look = async (): Promise<void> => {
    if (!cancelled.signal.aborted && (await outside(() => dbos.getWorkflowStatus(cancelId))) !== null)
      cancelled.abort();
  };
  /** Looks again and again while the work runs. A look that fails is made up for by the next. */
  const watch = async (over: AbortSignal): Promise<void> => {
    while (!over.aborted && !cancelled.signal.aborted) {
      await clock.sleep(lookMs, over).catch(() => undefined);
      if (!over.aborted) await look().catch(() => undefined);
    }
  };
  return {
    signal: cancelled.signal,
    once: (name, work) =>
      dbos.runStep(
        async () => {
          await look().catch(() => undefined);
          const over = new AbortController();
          void watch(over.signal);
          try {
            return await work();
          } finally {
            over.abort();
          }
        },
        { name },
      ),
    sleep: async (ms) => {
      for (let left = ms; left > 0; left -= LONGEST_WAIT_MS) {
        // Kept by DBOS with the time at which it ends, and over at once where the event is there.
        const isCancelled = await dbos.getEvent<boolean>(cancelId, CANCELLED, Math.min(left, LONGEST_WAIT_MS) / 1000);
        if (isCancelled === true) throw new EngineCancelled();
      }
    },
  };
}

/** Another execution has the run, or DBOS was told to stop it. DBOS knows these itself, and keeps what the other one says. */
function isDbosOwn(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, "dbosErrorCode") : undefined;
  return code === CONFLICT || code === STOPPED;
}
