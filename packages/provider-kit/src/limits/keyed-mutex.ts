import { abortError, type Operation } from "@slipway/core";

/** Runs works under one name one after the other. Who aborts while waiting gives the place up, with nothing done. */
export type KeyedMutex = <T>(
  name: string,
  call: { readonly operation: Operation; readonly signal?: AbortSignal | undefined },
  /** `release` lets the next one in before the work is done: what follows holds nobody up. */
  work: (release: () => void) => Promise<T>,
) => Promise<T>;

/**
 * A queue for each name, in this process: so that two spawns of one key, or two ends of one instance, do not read the same
 * state and then both act on it. Other processes are not held back; that is a store's business, or the remote's.
 */
export function keyedMutex(provider: string): KeyedMutex {
  const tails = new Map<string, Promise<void>>();
  // Async all through, so that a stack trace shows who called.
  return async (name, { operation, signal }, work) => {
    const before = tails.get(name) ?? Promise.resolve();
    const done = Promise.withResolvers<void>();
    // Who gives the place up leaves the others in their order.
    const mine = before.then(() => done.promise);
    tails.set(name, mine);
    void mine.then(() => {
      if (tails.get(name) === mine) tails.delete(name);
    });
    try {
      await waitFor(before, signal, { provider, operation });
      return await work(done.resolve);
    } finally {
      done.resolve();
    }
  };
}

/** Resolves when the turn has come; once it has, the work itself minds the signal. */
async function waitFor(
  before: Promise<void>,
  signal: AbortSignal | undefined,
  at: { readonly provider: string; readonly operation: Operation },
): Promise<void> {
  if (signal === undefined) return await before;
  const aborted = Promise.withResolvers<never>();
  const gaveUp = (): void => aborted.reject(abortError(signal, { ...at, effect: "none" }));
  if (signal.aborted) gaveUp();
  else signal.addEventListener("abort", gaveUp, { once: true });
  try {
    await Promise.race([aborted.promise, before]);
    if (signal.aborted) gaveUp();
  } finally {
    signal.removeEventListener("abort", gaveUp);
  }
}
