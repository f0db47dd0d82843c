import type { ProviderHooks } from "@slipway/core";
import { isAtLeast, versionText } from "@slipway/provider-kit/command";
import { answerHeartbeat, type HeartbeatDetails, type HeartbeatTasks } from "@slipway/provider-kit/hooks";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { statusOf } from "./instance.ts";
import { isOwnedBy, mayBeOurs, type Owned, ownedOf } from "./tags.ts";
import { UNTRIED } from "./version.ts";

/** None of them starts, ends or removes an instance, and none starts OrbStack or asks the user anything. */
export function orbstackHooks(context: OrbstackContext): ProviderHooks {
  const tasks: HeartbeatTasks = {
    health_check: (call) => health(context, call),
    reconcile: (call) => countByStatus(context, call),
    orphan_scan: (call) => countTagged(context, call),
    refresh_prices: async () => ({ known: false }),
  };
  return {
    onStartup: async () => {
      await health(context, { operation: "onStartup" });
    },
    onShutdown: async () => undefined,
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}

async function health({ client, log }: OrbstackContext, call: Call): Promise<HeartbeatDetails> {
  const version = await client.version(call);
  if (isAtLeast(version, UNTRIED)) {
    log.warn("this version of OrbStack is newer than all that were described", { version: versionText(version) });
  }
  await client.mustBeUp(call);
  return { engine: "Running", version: versionText(version) };
}

async function tagged(context: OrbstackContext, call: Call): Promise<readonly Owned[]> {
  const found: Owned[] = [];
  for (const machine of await context.client.machines(call)) {
    const owned = mayBeOurs(machine) ? await ownedOf(context, call, machine) : null;
    if (owned !== null) found.push(owned);
  }
  return found;
}

async function countByStatus(context: OrbstackContext, call: Call): Promise<HeartbeatDetails> {
  const { owner } = context;
  const counts: Record<string, number> = {};
  for (const owned of await tagged(context, call)) {
    if (!isOwnedBy(owned, owner, owner)) continue;
    const status = statusOf(owned.machine.state);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** What a spawn that was cut off has left counts as half made: the next spawn of its key completes it. */
async function countTagged(context: OrbstackContext, call: Call): Promise<HeartbeatDetails> {
  const { owner, clock } = context;
  const all = await tagged(context, call);
  const mine = all.filter((owned) => isOwnedBy(owned, owner, owner));
  return {
    ours: mine.length,
    others: all.length - mine.length,
    expired: mine.filter(({ tag }) => Date.parse(tag?.expiresAt ?? "") <= clock.now()).length,
    halfMade: mine.filter(({ tag }) => tag === null).length,
  };
}
