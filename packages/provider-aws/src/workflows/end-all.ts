import type { AwsContext, Call } from "../context.ts";
import { listInstances } from "../lookup.ts";
import { terminateInstance } from "../terminate.ts";

const LOOK_AGAIN_MS = 2000;

/** What a launch under some keys came to. */
export interface Ended {
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
