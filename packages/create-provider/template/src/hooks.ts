import type { HeartbeatTask, ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import type { Call, __Name__Context } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { statusOf } from "./instance.ts";
import { ownershipOf } from "./ownership.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: __Name__Context): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => ({ machines: (await context.client.list(call)).length }),
  reconcile: async (call) => {
    const counts: Record<string, number> = {};
    for (const { state, tags } of await context.client.list(call)) {
      if (ownershipOf(tags)?.owner !== context.owner) continue;
      counts[statusOf(state)] = (counts[statusOf(state)] ?? 0) + 1;
    }
    return counts;
  },
  orphan_scan: async (call) => {
    const ownership = (await context.client.list(call)).map(({ tags }) => ownershipOf(tags)).filter((one) => one !== null);
    const mine = ownership.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: ownership.length - mine.length, expired: expired.length };
  },
  // The remote tells no prices.
  refresh_prices: async () => ({ prices: 0 }),
});

export function __name__Hooks(context: __Name__Context): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    // Whatever is wrong with the credentials shows at the first question.
    onStartup: async () => {
      await context.client.list({ operation: "onStartup" });
    },
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}
