import type { AwsContext, Call, Kept } from "./context.ts";

// New images come every other week; within the hour all of a fleet start alike.
const KEPT_MS = 3_600_000;

/** Those who ask for one thing, in the order in which they came. */
interface Line {
  came: number;
  /** What the last lookup ended with that brought nothing, and who had come by then. */
  ended: { readonly upTo: number; readonly answer: () => null } | undefined;
}

const lines = new WeakMap<object, Map<string, Line>>();

function lineOf(known: object, name: string): Line {
  const there = lines.get(known) ?? new Map<string, Line>();
  lines.set(known, there);
  const line = there.get(name) ?? { came: 0, ended: undefined };
  there.set(name, line);
  return line;
}

/**
 * What was read within the last hour, or what `read` says now. Those who ask for one name at once wait for one read, and
 * get its failure too: each by itself would wait as long for the same. Whoever gives up leaves it to the next. Null is
 * not kept.
 */
export async function kept<T>(
  { clock, keyedMutex }: Pick<AwsContext, "clock" | "keyedMutex">,
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
  // A failure names the operation that it is of.
  const line = lineOf(known, `${call.operation} ${name}`);
  line.came += 1;
  const mine = line.came;
  return await keyedMutex(`kept ${name}`, call, async () => {
    const meanwhile = fresh();
    if (meanwhile !== undefined) return meanwhile.value;
    if (line.ended !== undefined && mine <= line.ended.upTo) return line.ended.answer();
    try {
      const value = await read();
      if (value !== null) known.set(name, { at: clock.now(), value });
      else line.ended = { upTo: line.came, answer: () => null };
      return value;
    } catch (error) {
      const answer = (): never => {
        throw error;
      };
      if (call.signal?.aborted !== true) line.ended = { upTo: line.came, answer };
      throw error;
    }
  });
}
