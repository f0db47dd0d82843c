import type { HeartbeatTask, ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import type { Call } from "./client.ts";
import type { LambdaContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { statusOf } from "./instance.ts";
import { marksOf } from "./marks.ts";
import { checkKeyName } from "./ssh-keys.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: LambdaContext): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => {
    const counts: Record<string, number> = { unhealthy: 0, preempted: 0 };
    for (const { status } of await ours(context, call)) {
      if (Object.hasOwn(counts, status)) counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  },
  reconcile: async (call) => {
    const counts: Record<string, number> = {};
    for (const { status } of await ours(context, call)) {
      counts[statusOf(status)] = (counts[statusOf(status)] ?? 0) + 1;
    }
    return counts;
  },
  orphan_scan: async (call) => {
    const marks = (await context.client.instances(call))
      .filter(({ status }) => statusOf(status) !== "terminated")
      .map((row) => marksOf(row))
      .filter((mark) => mark !== null);
    const mine = marks.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: marks.length - mine.length, expired: expired.length };
  },
  refresh_prices: async (call) => {
    const offerings = Object.values(await context.client.offerings(call));
    const available = offerings.filter(({ regions_with_capacity_available: regions }) => regions.length > 0);
    return { prices: offerings.length, available: available.length };
  },
});

async function ours(context: LambdaContext, call: Call) {
  return (await context.client.instances(call)).filter((row) => marksOf(row)?.owner === context.owner);
}

export function lambdaHooks(context: LambdaContext): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    onStartup: () => checkKeyName(context, { operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}
