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
import type { LambdaContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { statusOf } from "./instance.ts";
import { marksOf } from "./marks.ts";
import { checkKeyName } from "./ssh-keys.ts";

type Details = Readonly<Record<string, string | number | boolean>>;
type Task = (context: LambdaContext, call: Call) => Promise<Details>;

const TASKS: Readonly<Record<HeartbeatTask, Task>> = {
  health_check: async (context, call) => {
    const counts: Record<string, number> = { unhealthy: 0, preempted: 0 };
    for (const { status } of await ours(context, call)) {
      if (Object.hasOwn(counts, status)) counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  },
  reconcile: async (context, call) => {
    const counts: Record<string, number> = {};
    for (const { status } of await ours(context, call)) {
      counts[statusOf(status)] = (counts[statusOf(status)] ?? 0) + 1;
    }
    return counts;
  },
  orphan_scan: async (context, call) => {
    const marks = (await context.client.instances(call))
      .filter(({ status }) => statusOf(status) !== "terminated")
      .map((row) => marksOf(row))
      .filter((mark) => mark !== null);
    const mine = marks.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: marks.length - mine.length, expired: expired.length };
  },
  refresh_prices: async (context, call) => {
    const offerings = Object.values(await context.client.offerings(call));
    const available = offerings.filter(({ regions_with_capacity_available: regions }) => regions.length > 0);
    return { prices: offerings.length, available: available.length };
  },
};

async function ours(context: LambdaContext, call: Call) {
  return (await context.client.instances(call)).filter((row) => marksOf(row)?.owner === context.owner);
}

export function lambdaHooks(context: LambdaContext): ProviderHooks {
  return {
    onStartup: () => checkKeyName(context, { operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: async ({ tasks, deadline: until }) => ({
      receipts: await Promise.all(tasks.map((task) => receiptOf(context, task, Date.parse(until)))),
    }),
  };
}

async function receiptOf(context: LambdaContext, task: HeartbeatTask, until: number): Promise<Receipt> {
  const operation = "onHeartbeat";
  const limit = deadline(context.clock, Math.max(0, until - context.clock.now()));
  try {
    // A deadline that cannot be read has passed: nothing would ever end the task.
    if (!(until > context.clock.now())) {
      const late = AbortSignal.abort(new DOMException("the deadline has passed", "TimeoutError"));
      throw abortError(late, { provider: PROVIDER, operation, effect: "none" });
    }
    return { task, ok: true, details: await TASKS[task](context, { operation, signal: limit.signal }) };
  } catch (error) {
    return { task, ok: false, error: asProviderError(error) };
  } finally {
    limit.release();
  }
}

function asProviderError(error: unknown): AnyProviderError {
  if (isProviderError(error)) return error;
  return new ProviderError("INTERNAL", {
    message: "the task failed in a way that this package does not know",
    provider: PROVIDER,
    operation: "onHeartbeat",
    effect: "none",
    cause: error,
  });
}
