import type { CallOptions } from "@slipway/core";
import type { LocalContext } from "./context.ts";
import { translated } from "./errors.ts";
import { nameOf } from "./ids.ts";
import { completeRemovals, removeInstance } from "./remove-instance.ts";

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
