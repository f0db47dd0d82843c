import type { Clock } from "@slipway/core";
import type { Run } from "./run.ts";

/**
 * The work's own end; or, where it does not end within the grace time after its signal aborted, a rejection with
 * `giveUp()`. What is given up may go on, so its outcome is not known.
 */
export async function within<T>(
  work: Promise<T>,
  limit: { readonly signal: AbortSignal; readonly clock: Clock; readonly graceMs: number },
  giveUp: () => Error,
): Promise<T> {
  const over = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const wait = (): void => {
      limit.clock.sleep(limit.graceMs, over.signal).then(
        () => reject(giveUp()),
        () => undefined,
      );
    };
    if (limit.signal.aborted) wait();
    else limit.signal.addEventListener("abort", wait, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Where what must not fail is run: its first failure ends everything, and nobody in the workflow can catch it. */
export function haltable(): { readonly halted: Promise<never>; readonly mustWork: Run["mustWork"] } {
  let halt: (error: unknown) => void = () => undefined;
  const halted = new Promise<never>((_resolve, reject) => {
    halt = reject;
  });
  // Raced with the run, which may have ended before anything fails.
  halted.catch(() => undefined);
  const never = new Promise<never>(() => undefined);
  let over = false;
  const mustWork = async (work: () => void | Promise<void>): Promise<void> => {
    if (over) return never;
    try {
      await work();
    } catch (error) {
      over = true;
      halt(error);
      return never;
    }
    if (over) return never;
  };
  return { halted, mustWork };
}
