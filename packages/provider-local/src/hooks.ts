import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProviderHooks } from "@slipway/core";
import { answerHeartbeat, type HeartbeatDetails, type HeartbeatTasks } from "@slipway/provider-kit/hooks";
import type { LocalContext } from "./context.ts";
import { failure, PROVIDER_NAME, translated } from "./errors.ts";
import { sight } from "./instance.ts";
import { makeDirectory } from "./state/durable-file.ts";

/** The hooks of one provider. None of them starts, ends or removes an instance. */
export function localHooks(context: LocalContext, isolatedNetworks: boolean): ProviderHooks {
  const tasks: HeartbeatTasks = {
    health_check: () => known(health(context)),
    reconcile: () => known(countByStatus(context)),
    orphan_scan: () => known(countUntracked(context)),
    refresh_prices: async () => ({ known: false }),
  };
  return {
    onStartup: async () => {
      await assertWritable(context);
      const { isolation, reason } = await context.isolation();
      if (!isolatedNetworks || isolation === "bubblewrap") return;
      throw failure("no-sandbox", "onStartup", `isolatedNetworks needs bubblewrap, and ${reason}`);
    },
    onShutdown: async () => undefined,
    onHeartbeat: (request) => answerHeartbeat(request, tasks, { provider: PROVIDER_NAME, clock: context.clock }),
  };
}

/** What the system says becomes an error of the contract. */
function known(details: Promise<HeartbeatDetails>): Promise<HeartbeatDetails> {
  return details.catch((error: unknown) => {
    throw translated(error, "onHeartbeat", "none");
  });
}

async function assertWritable({ state }: LocalContext): Promise<void> {
  const probe = join(state.directory, `.probe-${crypto.randomUUID()}`);
  try {
    await makeDirectory(state.directory);
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (error) {
    throw translated(error, "onStartup", "none");
  }
}

async function health(context: LocalContext): Promise<HeartbeatDetails> {
  await assertWritable(context);
  const { isolation, reason } = await context.isolation();
  return { isolation, ...(reason === null ? {} : { reason }) };
}

async function countByStatus({ state, owner }: LocalContext): Promise<HeartbeatDetails> {
  const counts: Record<string, number> = {};
  for (const record of await state.instances.list("onHeartbeat")) {
    if (record.owner !== owner) continue;
    const { status } = await sight(state, record);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** What a call that was cut off has left: the next call on the same key takes it away. */
async function countUntracked({ state }: LocalContext): Promise<HeartbeatDetails> {
  const shelves = [state.instances, state.snapshots, state.volumes];
  const leftovers = (await Promise.all(shelves.map((shelf) => shelf.leftovers()))).flat();
  let interrupted = 0;
  for (const record of await state.instances.list("onHeartbeat")) {
    if ((await sight(state, record)).statusReason?.code === "interrupted") interrupted += 1;
  }
  return { leftovers: leftovers.length, interrupted };
}
