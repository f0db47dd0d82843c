import { type HeartbeatTask, ProviderError, type ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import type { Call } from "./client.ts";
import { type MemoryContext, PROVIDER } from "./context.ts";
import { statusOf } from "./instance.ts";
import { account, catalogue, machinePage, type WireMachine } from "./wire.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: MemoryContext): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => {
    await checkAccount(context, call);
    return { regions: context.regions.length };
  },
  reconcile: async (call) => {
    const counts: Record<string, number> = {};
    for (const { state } of await machinesOf(context, call, context.owner)) {
      counts[statusOf(state)] = (counts[statusOf(state)] ?? 0) + 1;
    }
    return counts;
  },
  orphan_scan: async (call) => {
    const tagged = (await machinesOf(context, call, null)).filter(({ state }) => statusOf(state) !== "terminated");
    const ours = tagged.filter(({ tag }) => tag?.owner === context.owner);
    const expired = ours.filter(({ expiresAt }) => expiresAt !== null && Date.parse(expiresAt) <= context.clock.now());
    return { ours: ours.length, others: tagged.length - ours.length, expired: expired.length };
  },
  refresh_prices: async (call) => {
    let prices = 0;
    for (const region of context.regions) {
      const { specs } = await context.client.send(call, "catalogue.read", region, {}, catalogue);
      prices += specs.filter(({ usdPerHour }) => usdPerHour !== null).length;
    }
    return { prices };
  },
});

export function memoryHooks(context: MemoryContext): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    onStartup: () => checkAccount(context, { operation: "onStartup" }),
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
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

async function machinesOf(context: MemoryContext, call: Call, owner: string | null): Promise<readonly WireMachine[]> {
  const found: WireMachine[] = [];
  for (const region of context.regions) {
    found.push(...(await context.client.sendAll(call, "machines.list", region, owner, machinePage)));
  }
  return found;
}
