import { type CallOptions, isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import type { AppleContainerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { parseId } from "./ids.ts";
import { containerOf } from "./look-up.ts";
import { marksOf } from "./marks.ts";

/** Removes an instance of Slipway's. What is gone or unknown is done, and so is an id whose name another one has now. */
export async function terminateInstance(
  context: AppleContainerContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<void> {
  const parsed = parseId(id);
  if (parsed === null) return;
  const call: Call = { operation: "terminate", signal };
  await context.inTurn(parsed.name, call, async () => {
    const wire = await containerOf(context, call, id);
    if (wire === null) return;
    const marks = marksOf(wire);
    if (marks === null) {
      throw refusal("CONFLICT", call.operation, `${wire.id} was not made by Slipway: it is left alone`, {
        nativeId: wire.id,
      });
    }
    const isGone = async (): Promise<boolean> => {
      const now = await context.client.container(call, wire.id);
      return now === null || marksOf(now)?.generation !== marks.generation;
    };
    await remove(context, call, wire.id, isGone);
  });
}

/** A removal without an answer is looked up; one that hangs is tried once more with the machine killed. */
async function remove(
  { client }: AppleContainerContext,
  call: Call,
  name: string,
  isGone: () => Promise<boolean>,
): Promise<void> {
  try {
    await client.remove(call, name);
  } catch (error) {
    if (call.signal?.aborted === true || !isProviderError(error)) throw error;
    if (error.native?.code === "service-down") throw error;
    const gone = await isGone().catch(() => {
      throw error;
    });
    if (gone) return;
    if (error.code !== "TIMEOUT" && error.native?.code !== "still-running") throw error;
    // One that does not run cannot be killed, and that is fine.
    await client.kill(call, name).catch(() => undefined);
    await client.remove(call, name);
  }
}
