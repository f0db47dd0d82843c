import { isProviderError, type ProviderError } from "@slipway/core";

/** The ProviderError that a call rejects with; fails for any other outcome. */
export async function thrown(call: Promise<unknown>): Promise<ProviderError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome && isProviderError(outcome.error)) return outcome.error;
  throw new Error(`no ProviderError: ${JSON.stringify(outcome)}`, { cause: outcome });
}
