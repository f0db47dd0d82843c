import type { Pacing } from "@slipway/core";

/** The call's turn in the budget. The caller's own time ends also the wait for pacing that minds no signal. */
export async function budgetTurn(
  limits: Pacing,
  bucket: Parameters<Pacing["acquire"]>[0],
  signal: AbortSignal | undefined,
): Promise<void> {
  const gaveUp = Promise.withResolvers<never>();
  const onAbort = (): void => gaveUp.reject(new Error("aborted"));
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([limits.acquire(bucket, { signal }), gaveUp.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
