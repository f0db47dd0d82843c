import type { CallOptions } from "@slipway/core";
import { type Call, isId, type __Name__Context } from "./context.ts";
import { refusal } from "./errors.ts";
import { ENDING, statusOf } from "./instance.ts";
import { ownershipOf } from "./ownership.ts";

/** Ends an instance of Slipway's. What is gone, unknown or ending already is done. */
export async function terminateInstance(
  context: __Name__Context,
  id: string,
  { signal }: CallOptions = {},
): Promise<void> {
  if (!isId(id)) return;
  const call: Call = { operation: "terminate", signal };
  await context.keyedMutex(`terminate ${id}`, call, async () => {
    const found = await context.client.read(call, id);
    if (found === null || ENDING.has(statusOf(found.state))) return;
    if (ownershipOf(found.tags) === null) {
      throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, { nativeId: id });
    }
    await context.client.remove(call, id);
  });
}
