import type { HeartbeatTask, ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import type { Call } from "./client.ts";
import type { RunpodContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { isTerminated, statusOf } from "./instance.ts";
import { isOwned } from "./look-up.ts";
import { marksOf } from "./marks.ts";
import type { WirePod } from "./wire.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: RunpodContext): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => {
    const pods = await ours(context, call);
    return { pods: pods.length, error: pods.filter((pod) => statusOf(pod) === "error").length };
  },
  reconcile: async (call) => {
    const counts: Record<string, number> = {};
    for (const pod of await ours(context, call)) counts[statusOf(pod)] = (counts[statusOf(pod)] ?? 0) + 1;
    return counts;
  },
  orphan_scan: async (call) => {
    const marks = (await context.client.pods(call))
      .filter((pod) => !isTerminated(pod))
      .map((pod) => marksOf(pod))
      .filter((mark) => mark !== null);
    const mine = marks.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: marks.length - mine.length, expired: expired.length };
  },
  refresh_prices: async (call) => {
    const cloud = context.clouds[0] ?? "SECURE";
    const types = await context.client.gpuTypes(call, cloud, 1);
    return { prices: types.length, available: types.filter(({ availability }) => isThere(availability)).length };
  },
});

function isThere(availability: string | undefined): boolean {
  return availability !== undefined && availability !== "NONE";
}

async function ours(context: RunpodContext, call: Call): Promise<readonly WirePod[]> {
  return (await context.client.pods(call)).filter((pod) => isOwned(pod, context.owner) && !isTerminated(pod));
}

/** None of these hooks starts, stops or ends a pod. */
export function runpodHooks(context: RunpodContext): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    onStartup: () => context.client.ping({ operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}
