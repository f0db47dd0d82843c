import {
  type AnyProviderError,
  abortError,
  type Clock,
  deadline,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HeartbeatTask,
  isProviderError,
  ProviderError,
  type Receipt,
} from "@slipway/core";

/** What a task tells, for a person and for metrics. */
export type HeartbeatDetails = Readonly<Record<string, string | number | boolean>>;

/** What a task gets: hand it on to whatever it calls. */
export interface HeartbeatCall {
  readonly operation: "onHeartbeat";
  /** Aborts with a `TimeoutError` when the heartbeat's deadline has passed. */
  readonly signal: AbortSignal;
}

/** How a provider does each task. None of them starts, ends or deletes anything. */
export type HeartbeatTasks = Readonly<Record<HeartbeatTask, (call: HeartbeatCall) => Promise<HeartbeatDetails>>>;

const operation = "onHeartbeat";

/**
 * The body of an `onHeartbeat` hook: every task that was asked for gets its receipt, in the same order; one that fails
 * does not fail the others; one that is not done by the deadline is a failed receipt with TIMEOUT, also if it does not
 * look at its signal.
 */
export async function answerHeartbeat(
  request: HeartbeatRequest,
  tasks: HeartbeatTasks,
  at: { readonly provider: string; readonly clock: Clock },
): Promise<HeartbeatAnswer> {
  const left = Date.parse(request.deadline) - at.clock.now();
  // A deadline that cannot be read counts as passed: nothing would ever end the tasks.
  if (!(left > 0)) {
    const late = AbortSignal.abort(new DOMException("the deadline has passed", "TimeoutError"));
    const error = abortError(late, { provider: at.provider, operation, effect: "none" });
    return { receipts: request.tasks.map((task) => ({ task, ok: false, error })) };
  }
  const limit = deadline(at.clock, left);
  try {
    return {
      receipts: await Promise.all(request.tasks.map((task) => receiptOf(task, tasks[task], limit.signal, at.provider))),
    };
  } finally {
    limit.release();
  }
}

async function receiptOf(
  task: HeartbeatTask,
  run: HeartbeatTasks[HeartbeatTask],
  signal: AbortSignal,
  provider: string,
): Promise<Receipt> {
  const over = Promise.withResolvers<never>();
  // A task that was done in time leaves this one alone.
  over.promise.catch(() => undefined);
  const end = (): void => over.reject(abortError(signal, { provider, operation, effect: "none" }));
  signal.addEventListener("abort", end, { once: true });
  try {
    return { task, ok: true, details: await Promise.race([run({ operation, signal }), over.promise]) };
  } catch (error) {
    return { task, ok: false, error: asProviderError(error, task, provider) };
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function asProviderError(error: unknown, task: HeartbeatTask, provider: string): AnyProviderError {
  if (isProviderError(error)) return error;
  return new ProviderError("INTERNAL", {
    message: `${task} failed in a way that ${provider} does not know`,
    provider,
    operation,
    effect: "none",
    cause: error,
  });
}
