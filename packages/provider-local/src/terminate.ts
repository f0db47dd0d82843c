import type { CallOptions } from "@slipway/core";
import { endSandbox } from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf } from "./context.ts";
import { translated } from "./errors.ts";
import { failpoint } from "./failpoint.ts";
import { sight } from "./instance.ts";
import type { InstanceRecord } from "./state/records.ts";
import { type Kind, type State, sandboxOf } from "./state/state.ts";

/** Ends and removes the instance, and what calls that were cut off have left. Resolves for what is not there. */
export async function terminateLocal({ state }: LocalContext, id: string, call: CallOptions = {}): Promise<void> {
  const name = nameOf(id);
  if (name === null) return;
  await state.locked("instances", name, { operation: "terminate", signal: call.signal }, async () => {
    try {
      const record = await state.instances.read(name, "terminate");
      if (record?.id === id) await removeInstance(state, name, record);
      else if (record === null) await state.instances.remove(name);
    } catch (error) {
      throw translated(error, "terminate", "unknown");
    }
  });
  await completeRemovals(state, call.signal);
}

/** A call completes at most so many removals of others: it has its own work. */
const COMPLETED_AT_ONCE = 20;

/** Ends all its processes, then takes its directory and record away. The caller holds the name's lock. */
export async function removeInstance(state: State, name: string, record: InstanceRecord): Promise<void> {
  await state.instances.beginRemoval(name);
  failpoint("before-end");
  const sandbox = sandboxOf(state, name, record);
  await endSandbox(record.process === null ? sandbox : { ...sandbox, process: record.process });
  failpoint("after-end");
  await state.instances.remove(name);
}

// A fleet that ends at once is swept after once, and not by each of its calls.
const sweeping = new WeakSet<State>();

/**
 * Takes away what calls of dead processes have left, whose keys may never come again. It ends nothing that runs: there the
 * removal was cut off before it ended anything, and `terminate` or `reconcile` says what becomes of it. Never throws, and
 * stops early when the signal ends.
 */
async function completeRemovals(state: State, signal?: AbortSignal): Promise<void> {
  if (sweeping.has(state)) return;
  sweeping.add(state);
  try {
    for (const kind of ["instances", "snapshots", "volumes"] as const) {
      const names = await state[kind].leftNames().catch(() => []);
      for (const name of names.slice(0, COMPLETED_AT_ONCE)) {
        if (signal?.aborted === true) return;
        await state.ifFree(kind, name, () => completeRemoval(state, kind, name)).catch(() => undefined);
      }
    }
  } finally {
    sweeping.delete(state);
  }
}

async function completeRemoval(state: State, kind: Kind, name: string): Promise<void> {
  if (kind === "instances" && (await state.instances.isRemovalBegun(name))) {
    const record = await state.instances.read(name, "terminate");
    if (record !== null && (await sight(state, record)).status === "terminated")
      await removeInstance(state, name, record);
  }
  await state[kind].sweep(name);
}
