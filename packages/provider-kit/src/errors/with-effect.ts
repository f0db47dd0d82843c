import { type ErrorEffect, ProviderError } from "@slipway/core";

/** The same error with another effect, where the place of the call knows better; `says` replaces its message. */
export function withEffect(error: ProviderError, effect: ErrorEffect, says: string = error.message): ProviderError {
  if (error.effect === effect && says === error.message) return error;
  const { code, provider, operation, scope, exhausted, native, hint, retryAfterMs } = error;
  const cause = says === error.message ? error.cause : error;
  const details = { message: says, provider, operation, scope, exhausted, native, hint, retryAfterMs, cause };
  return new ProviderError(code, { ...details, effect });
}
