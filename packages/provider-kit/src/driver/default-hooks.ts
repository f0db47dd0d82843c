import type { Clock, Instance, ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatTasks } from "../hooks/answer-heartbeat.ts";
import type { Call } from "./driver.ts";

/** What tasks are made of; each of them lists once. */
export interface HookReads<I extends Instance> {
  readonly ours: (call: Call) => Promise<readonly I[]>;
  readonly scan: (call: Call) => Promise<{
    readonly ours: number;
    readonly others: number;
    readonly expired: number;
    readonly mine: readonly I[];
  }>;
}

export interface HookParts<I extends Instance = Instance> {
  /** Credentials, tools and permissions are there; throws what is missing. */
  readonly startup: (call: Call) => Promise<void>;
  readonly shutdown?: () => Promise<void>;
  /** Tasks that this provider does otherwise; `refresh_prices` has no default answer but zero prices. */
  readonly tasks?: (parts: HookReads<I>) => Partial<HeartbeatTasks>;
}

/** Hooks over `list`: none of them starts, ends or deletes anything. */
export function defaultHooks<I extends Instance>(
  list: (call: Call, owner: string) => Promise<readonly I[]>,
  at: { readonly provider: string; readonly owner: string; readonly clock: Clock },
  parts: HookParts<I>,
): ProviderHooks {
  const countsOf = (instances: readonly Instance[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status } of instances) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  const scan: HookReads<I>["scan"] = async (call) => {
    const all = await list(call, "*");
    const mine = all.filter(({ owner }) => owner === at.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= at.clock.now());
    return { ours: mine.length, others: all.length - mine.length, expired: expired.length, mine };
  };
  const tasks: HeartbeatTasks = {
    health_check: async (call) => {
      const all = await list(call, at.owner);
      return { instances: all.length, error: all.filter(({ status }) => status === "error").length };
    },
    reconcile: async (call) => countsOf(await list(call, at.owner)),
    orphan_scan: async (call) => {
      const { ours, others, expired } = await scan(call);
      return { ours, others, expired };
    },
    refresh_prices: async () => ({ prices: 0 }),
    ...parts.tasks?.({ ours: (call) => list(call, at.owner), scan }),
  };
  return {
    onStartup: () => parts.startup({ operation: "onStartup" }),
    onShutdown: () => parts.shutdown?.() ?? Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, at),
  };
}
