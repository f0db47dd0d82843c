import { abortError, type CallOptions, deadline, isProviderError } from "@slipway/core";
import type { Call } from "./client.ts";
import { isId, type RunpodContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { isTerminated, materialize, type RunpodInstance } from "./instance.ts";
import { marksOf } from "./marks.ts";
import type { WirePod } from "./wire.ts";

// How long to wait before a pod that RunPod does not know yet is asked for again.
const UNSEEN_PAUSE_MS = 1_000;

/**
 * Ends a pod of Slipway's. What is gone, unknown or terminated is done; but one that this process made so shortly ago that
 * RunPod may not know it yet is waited for, since it would come up and be billed.
 */
export async function terminateInstance(
  context: RunpodContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<void> {
  if (!isId(id)) return;
  const call: Call = { operation: "terminate", signal };
  for (;;) {
    const pod = await context.client.pod(call, id);
    const isFresh = context.spawned.byId(id) !== undefined;
    if (pod === null ? !isFresh : isTerminated(pod)) return;
    if (pod !== null) checkMark(pod, call);
    const removed = await isRemoved(context, call, id);
    // Seen a moment ago and gone now: somebody else ended it.
    if (removed || pod !== null) break;
    await pause(context, call);
  }
  context.spawned.ended(id);
  context.readiness.forget(id);
}

async function isRemoved(context: RunpodContext, call: Call, id: string): Promise<boolean> {
  try {
    await context.client.remove(call, id);
    return true;
  } catch (error) {
    if (isProviderError(error, "NOT_FOUND")) return false;
    throw error;
  }
}

async function pause({ clock }: RunpodContext, { operation, signal }: Call): Promise<void> {
  try {
    await clock.sleep(UNSEEN_PAUSE_MS, signal);
  } catch (error) {
    if (signal === undefined) throw error;
    throw abortError(signal, { provider: PROVIDER, operation, effect: "none" });
  }
}

/** `stop` and `start`; a pod that is so already is answered as it is. */
export async function actOn(
  context: RunpodContext,
  action: "start" | "stop",
  id: string,
  { signal, timeoutMs }: CallOptions = {},
): Promise<RunpodInstance> {
  const limit = deadline(context.clock, timeoutMs, signal);
  const call: Call = { operation: action, signal: limit.signal };
  try {
    const pod = isId(id) ? await context.client.pod(call, id) : null;
    if (pod === null) throw refusal("NOT_FOUND", action, `RunPod has no pod ${JSON.stringify(id.slice(0, 64))}`);
    checkMark(pod, call);
    if (pod.status === (action === "stop" ? "EXITED" : "RUNNING")) return materialize(pod, context.clock);
    return materialize(await context.client.act(call, id, action), context.clock);
  } finally {
    limit.release();
  }
}

function checkMark(pod: WirePod, { operation }: Call): void {
  if (marksOf(pod) !== null) return;
  throw refusal("CONFLICT", operation, `${pod.id} was not made by Slipway: it is left alone`, { nativeId: pod.id });
}
