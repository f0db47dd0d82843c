import {
  type AnyProviderError,
  abortError,
  deadline,
  type HeartbeatTask,
  isProviderError,
  ProviderError,
  type ProviderHooks,
  type Receipt,
} from "@slipway/core";
import type { Call } from "./client.ts";
import type { RunpodContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { isTerminated, statusOf } from "./instance.ts";
import { isOwned } from "./look-up.ts";
import { marksOf } from "./marks.ts";
import type { WirePod } from "./wire.ts";

type Details = Readonly<Record<string, string | number | boolean>>;
type Task = (context: RunpodContext, call: Call) => Promise<Details>;

const TASKS: Readonly<Record<HeartbeatTask, Task>> = {
  health_check: async (context, call) => {
    const pods = await ours(context, call);
    return { pods: pods.length, error: pods.filter((pod) => statusOf(pod) === "error").length };
  },
  reconcile: async (context, call) => {
    const counts: Record<string, number> = {};
    for (const pod of await ours(context, call)) counts[statusOf(pod)] = (counts[statusOf(pod)] ?? 0) + 1;
    return counts;
  },
  orphan_scan: async (context, call) => {
    const marks = (await context.client.pods(call))
      .filter((pod) => !isTerminated(pod))
      .map((pod) => marksOf(pod))
      .filter((mark) => mark !== null);
    const mine = marks.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: marks.length - mine.length, expired: expired.length };
  },
  refresh_prices: async (context, call) => {
    const cloud = context.clouds[0] ?? "SECURE";
    const types = await context.client.gpuTypes(call, cloud, 1);
    return { prices: types.length, available: types.filter(({ availability }) => isThere(availability)).length };
  },
};

function isThere(availability: string | undefined): boolean {
  return availability !== undefined && availability !== "NONE";
}

async function ours(context: RunpodContext, call: Call): Promise<readonly WirePod[]> {
  return (await context.client.pods(call)).filter((pod) => isOwned(pod, context.owner) && !isTerminated(pod));
}

/** None of these hooks starts, stops or ends a pod. */
export function runpodHooks(context: RunpodContext): ProviderHooks {
  return {
    onStartup: () => context.client.ping({ operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: async ({ tasks, deadline: until }) => ({
      receipts: await Promise.all(tasks.map((task) => receiptOf(context, task, Date.parse(until)))),
    }),
  };
}

const operation = "onHeartbeat";

async function receiptOf(context: RunpodContext, task: HeartbeatTask, until: number): Promise<Receipt> {
  const left = until - context.clock.now();
  // A deadline that cannot be read has passed: nothing would ever end the task.
  if (!(left > 0)) return { task, ok: false, error: tooLate() };
  const limit = deadline(context.clock, left);
  try {
    return { task, ok: true, details: await TASKS[task](context, { operation, signal: limit.signal }) };
  } catch (error) {
    return { task, ok: false, error: asProviderError(error) };
  } finally {
    limit.release();
  }
}

function tooLate(): AnyProviderError {
  const late = AbortSignal.abort(new DOMException("the deadline has passed", "TimeoutError"));
  return abortError(late, { provider: PROVIDER, operation, effect: "none" });
}

function asProviderError(error: unknown): AnyProviderError {
  if (isProviderError(error)) return error;
  return new ProviderError("INTERNAL", {
    message: "the task failed in a way that this package does not know",
    provider: PROVIDER,
    operation,
    effect: "none",
    cause: error,
  });
}
