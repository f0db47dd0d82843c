import { abortError, type Clock } from "@slipway/core";

/** Sleeps between two looks, which change nothing. Rejects with CANCELLED or TIMEOUT where the signal ends it. */
export async function pause(
  { provider, clock }: { readonly provider: string; readonly clock: Clock },
  operation: string,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await clock.sleep(ms, signal).catch((error: unknown) => {
    throw signal?.aborted === true ? abortError(signal, { provider, operation, effect: "none" }) : error;
  });
}
