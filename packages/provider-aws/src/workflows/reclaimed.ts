import type { AwsContext } from "../context.ts";
import { codeOfReason } from "../errors.ts";
import type { AWSInstance } from "../instance.ts";
import { getInstance } from "../lookup.ts";

const LOOK_MS = 15_000;

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
    const found = await Promise.all(unseen.map((id) => getInstance(context, id, { signal })));
    lost.push(...unseen.filter((_id, at) => isReclaimed(found[at] ?? null)));
    unseen = unseen.filter((_id, at) => (found[at] ?? null) === null);
    const left = until - context.clock.now();
    if (unseen.length === 0 || left <= 0) return [...lost, ...unseen];
    await context.clock.sleep(Math.min(LOOK_MS, left), signal);
  }
}

function isReclaimed(instance: AWSInstance | null): boolean {
  if (instance === null) return false;
  const { code: Code, message: Message } = instance.statusReason ?? {};
  const ending = instance.status === "terminated" || instance.status === "terminating";
  const code = codeOfReason({ Code, Message });
  // Not what somebody ended by hand, nor what every replacement would run into again.
  return ending && code !== undefined && code !== "AUTH_ERROR";
}
