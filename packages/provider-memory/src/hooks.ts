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
import { type MemoryContext, PROVIDER } from "./context.ts";
import { statusOf } from "./instance.ts";
import { account, catalogue, machinePage, type WireMachine } from "./wire.ts";

type Details = Readonly<Record<string, string | number | boolean>>;
type Task = (context: MemoryContext, call: Call) => Promise<Details>;

const TASKS: Readonly<Record<HeartbeatTask, Task>> = {
  health_check: async (context, call) => {
    await checkAccount(context, call);
    return { regions: context.regions.length };
  },
  reconcile: async (context, call) => {
    const counts: Record<string, number> = {};
    for (const { state } of await machinesOf(context, call, context.owner)) {
      counts[statusOf(state)] = (counts[statusOf(state)] ?? 0) + 1;
    }
    return counts;
  },
  orphan_scan: async (context, call) => {
    const marked = (await machinesOf(context, call, null)).filter(({ state }) => statusOf(state) !== "terminated");
    const ours = marked.filter(({ mark }) => mark?.owner === context.owner);
    const expired = ours.filter(({ expiresAt }) => expiresAt !== null && Date.parse(expiresAt) <= context.clock.now());
    return { ours: ours.length, others: marked.length - ours.length, expired: expired.length };
  },
  refresh_prices: async (context, call) => {
    let prices = 0;
    for (const region of context.regions) {
      const { specs } = await context.client.send(call, "catalogue.read", region, {}, catalogue);
      prices += specs.filter(({ usdPerHour }) => usdPerHour !== null).length;
    }
    return { prices };
  },
};

export function memoryHooks(context: MemoryContext): ProviderHooks {
  return {
    onStartup: () => checkAccount(context, { operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: async ({ tasks, deadline: until }) => ({
      receipts: await Promise.all(tasks.map((task) => receiptOf(context, task, Date.parse(until)))),
    }),
  };
}

/** The key is let in, and the regions are there. */
async function checkAccount(context: MemoryContext, call: Call): Promise<void> {
  const { regions } = await context.client.send(call, "account.read", context.regions[0], {}, account);
  const missing = context.regions.find((region) => !regions.some(({ id }) => id === region));
  if (missing === undefined) return;
  throw new ProviderError("INVALID_SPEC", {
    message: `region ${JSON.stringify(missing)} is configured, and the account has no such region`,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
    hint: `The account has: ${regions.map(({ id }) => id).join(", ")}.`,
  });
}

async function receiptOf(context: MemoryContext, task: HeartbeatTask, until: number): Promise<Receipt> {
  const limit = deadline(context.clock, Math.max(0, until - context.clock.now()));
  const operation = "onHeartbeat";
  try {
    if (until <= context.clock.now()) {
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
    message: "the task failed in a way that memory does not know",
    provider: PROVIDER,
    operation: "onHeartbeat",
    effect: "none",
    cause: error,
  });
}

async function machinesOf(context: MemoryContext, call: Call, owner: string | null): Promise<readonly WireMachine[]> {
  const found: WireMachine[] = [];
  for (const region of context.regions) {
    found.push(...(await context.client.sendAll(call, "machines.list", region, owner, machinePage)));
  }
  return found;
}
