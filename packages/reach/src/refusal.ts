import { type ErrorCode, ProviderError, type ProviderErrorDetails } from "@slipway/core";

/** Nothing was done, and this is why. */
export function refusal<C extends ErrorCode>(
  code: C,
  provider: string,
  operation: string,
  message: string,
  more: Pick<ProviderErrorDetails, "hint" | "cause" | "retryAfterMs" | "native"> = {},
): ProviderError<C> {
  return new ProviderError(code, { message, provider, operation, effect: "none", ...more });
}
