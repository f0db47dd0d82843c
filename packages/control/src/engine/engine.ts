import type { Workflow } from "@slipway/core";
import type { JsonValue, RecordedError } from "../store/record.ts";
import { validOutput } from "../workflow/validate.ts";
import { reviveError, WorkflowError, type WorkflowErrorCode } from "../workflow/workflow-error.ts";

/**
 * What a durable engine gives one run: a binding to an engine is an object of this kind, made anew each time that the
 * engine calls the run. The run makes the same calls in the same order each time, one after the other.
 */
export interface WorkflowEngine {
  /**
   * Runs `work` and keeps what it answered under this name, which is unique in the run: later calls of the run get that answer
   * and nothing runs. All answers are JSON. Work whose answer was not kept may run again. It always answers, and says itself whether it failed:
   * the engine retries nothing.
   */
  readonly once: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** Durable: a run that was killed waits only for what is left. */
  readonly sleep: (ms: number, name: string) => Promise<void>;
  /**
   * Did this rejection of `once` or `sleep` say that the run was cancelled? Calls made after it must work: the undo makes them.
   * With any other rejection the run stops where it is, as if killed, and it is rethrown. If absent, an EngineCancelled says so.
   */
  readonly isCancellation?: ((error: unknown) => boolean) | undefined;
  /** Aborts when the run is cancelled, where the engine does not say so by a rejection while a step is under way. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Aborts when the engine has taken the run from this call, as it calls it again elsewhere. The run stops where it is, with
   * nothing undone, and rejects when its steps have ended here.
   */
  readonly lost?: AbortSignal | undefined;
  /**
   * May the first work of this call that has no answer yet have been begun by an earlier call? For an engine that calls the run
   * anew for each entry, and knows. If absent, a step may have been where an earlier call kept that it begins.
   */
  readonly repeats?: boolean | undefined;
}

/** What a binding throws out of `once` or `sleep` when the run was cancelled. */
export class EngineCancelled extends Error {
  override readonly name: string = "EngineCancelled";

  constructor() {
    super("the run was cancelled");
  }
}

/** A leftover as an engine keeps it. */
export interface RecordedLeftover {
  readonly step: string;
  readonly key: string;
  readonly outcome: "done" | "unknown";
  readonly result?: JsonValue;
  readonly error: RecordedError;
}

/**
 * How a run ended, as the engine keeps it: JSON, and for the engine always a success, as no engine can undo more or retry
 * better than the run did. `outputOf` makes an output or a WorkflowError of it.
 */
export type EngineOutcome =
  | { readonly ok: true; readonly output?: JsonValue }
  | {
      readonly ok: false;
      readonly code: WorkflowErrorCode;
      readonly message: string;
      readonly runId: string;
      readonly leftovers: readonly RecordedLeftover[];
      readonly cause?: RecordedError;
    };

/**
 * The run's output, as the workflow's schema gives it; throws the WorkflowError that the run ended with.
 *
 * @example
 * ```ts
 * import { runOnEngine, type WorkflowEngine } from "@slipway/control/engine";
 * import type { Workflow } from "@slipway/core";
 *
 * export async function run<Out>(flow: Workflow<unknown, Out>, input: unknown, engine: WorkflowEngine): Promise<Out> {
 *   return outputOf(flow, "deploy-7", await runOnEngine(flow, input, engine, { runId: "deploy-7" }));
 * }
 * ```
 */
export async function outputOf<Out>(
  workflow: Pick<Workflow<unknown, Out>, "type" | "output">,
  runId: string,
  outcome: EngineOutcome,
): Promise<Out> {
  if (outcome.ok) return (await validOutput(workflow, runId, outcome.output)).output;
  const { code, message, leftovers, cause } = outcome;
  throw new WorkflowError(code, {
    message,
    runId,
    leftovers: leftovers.map((leftover) => ({ ...leftover, error: reviveError(leftover.error, runId) })),
    ...(cause === undefined ? {} : { cause: reviveError(cause, runId) }),
  });
}
