import type { CallOptions } from "@slipway/core";
import { refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeIdOf, regionsOf } from "./ids.ts";
import { statusOf } from "./instance.ts";
import { describeNative, isInstanceId, isTagged, listInstances } from "./lookup.ts";

/** Ends an instance of Slipway's. What is gone, unknown or ending already is done. */
export async function terminateInstance(
  context: AwsContext,
  id: string,
  { signal, operation = "terminate" }: CallOptions & { readonly operation?: string } = {},
): Promise<void> {
  if (!isInstanceId(id)) return;
  const call: Call = { operation, signal };
  const native = nativeIdOf(id);
  for (const region of regionsOf(context, id)) {
    if (await endedIn(context, call, region, native)) {
      context.launched.drop(native);
      context.ended.add(native, native, true);
      return;
    }
  }
  if (context.launched.byId(native) === undefined) return;
  // An unknown id so shortly after the launch is no proof that it is gone.
  throw refusal("BUSY", operation, `EC2 does not know ${id} yet, which was launched just now`, {
    retryAfterMs: 2_000,
    hint: "Call again in a few seconds.",
  });
}

/** False if there is no such instance in this region. */
async function endedIn(context: AwsContext, call: Call, region: string, native: string): Promise<boolean> {
  const shown = await describeNative(context, call, region, native);
  if (shown !== null) {
    const status = statusOf(shown);
    if (status === "terminated" || status === "terminating") return true;
    if (!isTagged(shown)) {
      throw refusal("CONFLICT", call.operation, `${native} was not made by Slipway: it is left alone`, {
        nativeId: native,
      });
    }
  }
  // Also what EC2 does not show: it may be so new that only a write finds it.
  return (await context.batches.terminate(call, region, native)) === "accepted";
}

const LOOK_AGAIN_MS = 2000;

/** What a launch under some keys came to. */
interface Ended {
  /** `unknown`: it may have made something. */
  readonly outcome: "done" | "unknown";
  /** What it is known to have made; null where it is known to have made nothing. */
  readonly instanceId?: string | null | undefined;
}

/**
 * Ends every instance under these keys. What is known by its id is ended by that, as listings lag behind. Where it is not
 * known what there is, it goes on looking for as long as a new one may be missing in listings.
 */
export async function endAll(
  context: AwsContext,
  call: Call,
  keys: readonly string[],
  { outcome, instanceId }: Ended,
): Promise<void> {
  if (outcome === "done" && instanceId === null) return;
  if (typeof instanceId === "string") await terminateInstance(context, instanceId, call);
  if (outcome === "done" && instanceId !== undefined) return;
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    for (const { id } of await listInstances(context, { keys }, call)) await terminateInstance(context, id, call);
    const left = until - context.clock.now();
    if (left <= 0) return;
    await context.clock.sleep(Math.min(LOOK_AGAIN_MS, left), call.signal);
  }
}
