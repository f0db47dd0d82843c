import type { HeartbeatTask, ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails } from "@slipway/provider-kit/hooks";
import type { Call } from "./client.ts";
import type { SshContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { heldBy, statesOf } from "./lookup.ts";

type Task = (call: Call) => Promise<HeartbeatDetails>;

const tasksOf = (context: SshContext): Readonly<Record<HeartbeatTask, Task>> => ({
  health_check: async (call) => ({ hosts: (await statesOf(context, call)).length }),
  reconcile: async (call) => {
    const held = await heldBy(context, call);
    return { running: held.filter(({ claim }) => claim.ownership?.owner === context.owner).length };
  },
  orphan_scan: async (call) => {
    const ownership = (await heldBy(context, call)).map(({ claim }) => claim.ownership).filter((one) => one !== null);
    const mine = ownership.filter(({ owner }) => owner === context.owner);
    const expired = mine.filter(({ expiresAt }) => Date.parse(expiresAt ?? "") <= context.clock.now());
    return { ours: mine.length, others: ownership.length - mine.length, expired: expired.length };
  },
  refresh_prices: async () => ({ prices: 0 }),
});

export function sshHooks(context: SshContext): ProviderHooks {
  const tasks = tasksOf(context);
  return {
    // Every host has to let us in: one that does not would show at some spawn, and not now.
    onStartup: async () => {
      await statesOf(context, { operation: "onStartup" });
    },
    onShutdown: () => Promise.resolve(),
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}
