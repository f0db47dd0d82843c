import type { ProviderHooks } from "@slipway/core";
import { ProviderError } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails, type HeartbeatTasks } from "@slipway/provider-kit/hooks";
import type { Call } from "./call.ts";
import type { AppleContainerContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { isHalfMade, statusOf } from "./instance.ts";
import { isOwned } from "./look-up.ts";
import { marksOf } from "./marks.ts";
import { isAtLeast, UNTRIED, versionText } from "./version.ts";

/** None of them starts, ends or removes an instance, and none asks the user anything. */
export function appleContainerHooks(context: AppleContainerContext): ProviderHooks {
  const tasks: HeartbeatTasks = {
    health_check: (call) => health(context, call),
    reconcile: (call) => countByStatus(context, call),
    orphan_scan: (call) => countMarked(context, call),
    refresh_prices: async () => ({ known: false }),
  };
  return {
    onStartup: async () => {
      const call: Call = { operation: "onStartup" };
      await health(context, call);
      // UNSUPPORTED on macOS 15, which does not have the command.
      if (context.networks) await context.client.networks(call);
    },
    onShutdown: async () => undefined,
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER, clock: context.clock }),
  };
}

async function health({ client, log }: AppleContainerContext, call: Call): Promise<HeartbeatDetails> {
  const version = await client.version(call);
  if (isAtLeast(version, UNTRIED)) {
    log.warn("this version of container is newer than all that were tried", { version: versionText(version) });
  }
  const service = await client.systemStatus(call);
  if (service === "running") return { service, version: versionText(version) };
  throw new ProviderError("UNAVAILABLE", {
    message: `the service of container is ${service}: start it with \`container system start --enable-kernel-install\``,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
    hint: "Start the service with `container system start --enable-kernel-install`.",
  });
}

async function countByStatus({ client, owner }: AppleContainerContext, call: Call): Promise<HeartbeatDetails> {
  const counts: Record<string, number> = {};
  for (const row of await client.containers(call)) {
    if (!isOwned(row, owner)) continue;
    const status = statusOf(row.status.state);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** What a spawn that was cut off has left counts as half made: the next spawn of its key completes it. */
async function countMarked({ client, owner, clock }: AppleContainerContext, call: Call): Promise<HeartbeatDetails> {
  const rows = (await client.containers(call)).filter((row) => isOwned(row, "*"));
  const mine = rows.filter((row) => isOwned(row, owner));
  const expired = mine.filter((row) => Date.parse(marksOf(row)?.expiresAt ?? "") <= clock.now());
  return {
    ours: mine.length,
    others: rows.length - mine.length,
    expired: expired.length,
    halfMade: mine.filter(isHalfMade).length,
  };
}
