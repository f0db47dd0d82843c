import type { Clock } from "@slipway/core";

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
