import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type HeartbeatRequest,
  type HeartbeatTask,
  isProviderError,
  ProviderError,
  type ProviderHooks,
  type Receipt,
} from "@slipway/core";
import type { LocalContext } from "./context.ts";
import { failure, PROVIDER_NAME, translated } from "./errors.ts";
import { sight } from "./instance.ts";
import { makeDirectory } from "./state/make-directory.ts";

type Details = Readonly<Record<string, string | number | boolean>>;

/** The hooks of one provider. None of them starts, ends or removes an instance. */
export function localHooks(context: LocalContext, isolatedNetworks: boolean): ProviderHooks {
  const tasks: Readonly<Record<HeartbeatTask, () => Promise<Details>>> = {
    health_check: async () => {
      await assertWritable(context);
      const { isolation, reason } = await context.isolation();
      return { isolation, ...(reason === null ? {} : { reason }) };
    },
    reconcile: () => countByStatus(context),
    orphan_scan: () => countUntracked(context),
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
    onHeartbeat: async (request) => {
      const receipts: Receipt[] = [];
      for (const task of request.tasks) receipts.push(await receiptOf(context, request, task, tasks[task]));
      return { receipts };
    },
  };
}

async function receiptOf(
  { clock }: LocalContext,
  { deadline }: HeartbeatRequest,
  task: HeartbeatTask,
  run: () => Promise<Details>,
): Promise<Receipt> {
  try {
    const left = Date.parse(deadline) - clock.now();
    if (left <= 0) throw tooLate(task);
    const over = new AbortController();
    const late = clock.sleep(left, over.signal).then(() => Promise.reject(tooLate(task)));
    // Released before its time: nobody waits for it then.
    late.catch(() => undefined);
    try {
      return { task, ok: true, details: await Promise.race([run(), late]) };
    } finally {
      over.abort();
    }
  } catch (error) {
    return { task, ok: false, error: asFailure(error, task) };
  }
}

function asFailure(error: unknown, task: HeartbeatTask): Extract<Receipt, { ok: false }>["error"] {
  const known = translated(error, "onHeartbeat", "none");
  if (isProviderError(known)) return known;
  return new ProviderError("INTERNAL", {
    message: `${task} failed in a way that ${PROVIDER_NAME} does not know`,
    provider: PROVIDER_NAME,
    operation: "onHeartbeat",
    effect: "none",
    cause: error,
  });
}

function tooLate(task: HeartbeatTask): ProviderError {
  return failure("too-late", "onHeartbeat", `${task} was not done by its deadline`);
}

async function assertWritable({ state }: LocalContext): Promise<void> {
  const probe = join(state.directory, `.probe-${randomUUID()}`);
  try {
    await makeDirectory(state.directory);
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (error) {
    throw translated(error, "onStartup", "none");
  }
}

async function countByStatus({ state, owner }: LocalContext): Promise<Details> {
  const counts: Record<string, number> = {};
  for (const record of await state.instances.list("onHeartbeat")) {
    if (record.owner !== owner) continue;
    const { status } = await sight(state, record);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/** What a call that was cut off has left: the next call on the same key takes it away. */
async function countUntracked({ state }: LocalContext): Promise<Details> {
  const shelves = [state.instances, state.snapshots, state.volumes];
  const leftovers = (await Promise.all(shelves.map((shelf) => shelf.leftovers()))).flat();
  let interrupted = 0;
  for (const record of await state.instances.list("onHeartbeat")) {
    if ((await sight(state, record)).statusReason?.code === "interrupted") interrupted += 1;
  }
  return { leftovers: leftovers.length, interrupted };
}
