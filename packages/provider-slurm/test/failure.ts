import { isProviderError, type ProviderError } from "@slipway/core";

/** The ProviderError that a call rejects with. */
export async function failure(call: Promise<unknown>): Promise<ProviderError> {
  try {
    await call;
  } catch (error) {
    if (isProviderError(error)) return error;
    throw error;
  }
  throw new Error("the call resolved");
}
