import type { AwsContext, Call, Kept } from "./context.ts";

// New images come every other week; within the hour all of a fleet start alike.
const KEPT_MS = 3_600_000;

/**
 * What was read within the last hour, or what `read` says now. Those who ask for one name at once wait for one read; whoever
 * gives up leaves it to the next. Null is not kept.
 */
export async function kept<T>(
  { clock, inTurn }: Pick<AwsContext, "clock" | "inTurn">,
  call: Call,
  known: Map<string, Kept<T>>,
  name: string,
  read: () => Promise<T | null>,
): Promise<T | null> {
  const fresh = (): Kept<T> | undefined => {
    const found = known.get(name);
    return found !== undefined && clock.now() - found.at < KEPT_MS ? found : undefined;
  };
  const before = fresh();
  if (before !== undefined) return before.value;
  return await inTurn(`kept ${name}`, call, async () => {
    const meanwhile = fresh();
    if (meanwhile !== undefined) return meanwhile.value;
    const value = await read();
    if (value !== null) known.set(name, { at: clock.now(), value });
    return value;
  });
}
