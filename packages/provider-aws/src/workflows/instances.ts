import { afterRefusal } from "../call.ts";
import { type AwsContext, type Call, lookUntilShown } from "../context.ts";
import { codeOfReason } from "../errors.ts";
import { type AWSInstance, isEnding } from "../instance.ts";

const LOOK_MS = 15_000;
const LOOK_AGAIN_MS = 2_000;

/** Whoever EC2 has reclaimed or ended by itself, or shows no more: what it has just made may only be missing for a while. */
export async function findReclaimed(
  context: AwsContext,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const until = context.clock.now() + context.readAfterWriteMs;
  const lost: string[] = [];
  let unseen = ids;
  for (;;) {
    // An answer that comes late shows no more than one that comes at once.
    const begun = context.clock.now();
    const found = await Promise.all(unseen.map((id) => context.lifeCycle().get(id, { signal })));
    lost.push(...unseen.filter((_id, at) => isReclaimed(found[at] ?? null)));
    unseen = unseen.filter((_id, at) => (found[at] ?? null) === null);
    if (unseen.length === 0 || begun >= until) return [...lost, ...unseen];
    await context.clock.sleep(Math.min(LOOK_MS, Math.max(0, until - context.clock.now())), signal);
  }
}

function isReclaimed(instance: AWSInstance | null): boolean {
  if (instance === null) return false;
  const { code: Code, message: Message } = instance.statusReason ?? {};
  const code = codeOfReason({ Code, Message });
  // Not what somebody ended by hand, nor what every replacement would run into again.
  return isEnding(instance) && code !== undefined && code !== "AUTH_ERROR";
}

/** What an earlier try of a launch has made that EC2 refuses now: a quota refuses also a repetition whose instance is there. */
export async function findMadeBefore(context: AwsContext, call: Call, key: string): Promise<AWSInstance | undefined> {
  const lifeCycle = context.lifeCycle();
  const look = async (): Promise<AWSInstance | undefined> => {
    const found = await lifeCycle.list({ keys: [key] }, call, call.operation);
    return found.find((one) => !isEnding(one) && !lifeCycle.isEnded(one.id));
  };
  return await afterRefusal(call, "EC2 refuses the launch, as it may refuse its repetition", () =>
    lookUntilShown(context, call, look),
  );
}

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
  const lifeCycle = context.lifeCycle();
  const { operation } = call;
  if (typeof instanceId === "string") {
    // A fleet's new instance may be shown by no read yet, and then EC2 may not find it for its end either.
    await lookUntilShown(context, call, async () => (await lifeCycle.get(instanceId, call)) ?? undefined);
    await lifeCycle.terminate(instanceId, call, operation);
  }
  if (outcome === "done" && instanceId !== undefined) return;
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    const begun = context.clock.now();
    for (const { id } of await lifeCycle.list({ keys }, call, operation))
      await lifeCycle.terminate(id, call, operation);
    if (begun >= until) return;
    await context.clock.sleep(Math.min(LOOK_AGAIN_MS, Math.max(0, until - context.clock.now())), call.signal);
  }
}
