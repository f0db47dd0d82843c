import { abortError, type CallOptions, isProviderError } from "@slipway/core";
import { type Call, isNotThere } from "./client.ts";
import { isId, type LambdaContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { statusOf } from "./instance.ts";
import { marksOf } from "./marks.ts";

const ENDING: ReadonlySet<string> = new Set(["terminating", "terminated"]);

/** Ends an instance of Slipway's. What is gone, unknown or ending already is done. */
export async function terminateInstance(
  context: LambdaContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<void> {
  if (!isId(id)) return;
  const call: Call = { operation: "terminate", signal };
  await context.inTurn(`terminate ${id}`, call, async () => {
    // Lambda answers a second request with an error, and its listing may not tell of the first one yet.
    if (context.ended.byId(id) === true) return;
    const listed = (await context.client.instances(call)).find((row) => row.id === id);
    if (listed !== undefined && ENDING.has(statusOf(listed.status))) return;
    if (listed !== undefined && marksOf(listed) === null) {
      throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, { nativeId: id });
    }
    try {
      await context.client.terminate(call, id);
    } catch (error) {
      if (!(await isDone(context, call, id, error))) throw error;
    }
    context.launched.drop(id);
    context.ended.add(id, id, true);
  });
}

/** Lambda knows no such instance, or it answered with its `global/unknown` because the end has begun already. */
async function isDone(context: LambdaContext, call: Call, id: string, error: unknown): Promise<boolean> {
  if (isNotThere(error)) {
    if (context.launched.byId(id) === undefined) return true;
    throw refusal("BUSY", call.operation, `Lambda does not know ${id} yet, which was launched a moment ago`, {
      hint: "Call again in a few seconds.",
    });
  }
  if (!isProviderError(error) || error.native?.code !== "global/unknown") return false;
  if (await isEnding(context, call, id)) return true;
  // Another process may have begun it so shortly ago that a read does not tell.
  await pause(context, call);
  return await isEnding(context, call, id);
}

/** False also where it cannot be read: then the answer to the write is all that is known. */
async function isEnding(context: LambdaContext, call: Call, id: string): Promise<boolean> {
  try {
    const now = await context.client.instance(call, id);
    return now === null || ENDING.has(statusOf(now.status));
  } catch {
    if (call.signal?.aborted !== true) return false;
    throw abortError(call.signal, { provider: PROVIDER, operation: call.operation, effect: "unknown" });
  }
}

async function pause({ clock, readAfterWriteMs }: LambdaContext, { operation, signal }: Call): Promise<void> {
  try {
    await clock.sleep(readAfterWriteMs, signal);
  } catch (error) {
    if (signal === undefined) throw error;
    throw abortError(signal, { provider: PROVIDER, operation, effect: "unknown" });
  }
}
