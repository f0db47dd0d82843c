import {
  type ErrorCode,
  type ErrorEffect,
  type NativeError,
  type Operation,
  ProviderError,
  type ProviderErrorDetails,
} from "@slipway/core";

export interface RefusalDetails
  extends Pick<ProviderErrorDetails, "hint" | "scope" | "retryAfterMs" | "cause" | "native"> {
  /** `none` if absent: nothing was sent that writes. */
  readonly effect?: ErrorEffect | undefined;
  /** The remote's id of the thing in the way: short for `native: { id }`. */
  readonly nativeId?: string | undefined;
}

/** Makes the error of a call that the provider itself refuses, or of an answer that it tells in its own words. */
export type Refusal = <C extends ErrorCode>(
  code: C,
  operation: Operation,
  message: string,
  details?: RefusalDetails,
) => ProviderError<C>;

/** The refusals of one provider, whose name stands in each. */
export function refusals(provider: string): Refusal {
  return (code, operation, message, { effect = "none", nativeId, native, ...details } = {}) => {
    const named: NativeError | undefined = nativeId === undefined ? native : { ...native, id: nativeId };
    return new ProviderError(code, { ...details, message, provider, operation, effect, native: named });
  };
}

/** The same error with another effect, where the place of the call knows better; `says` replaces its message. */
export function withEffect(error: ProviderError, effect: ErrorEffect, says: string = error.message): ProviderError {
  if (error.effect === effect && says === error.message) return error;
  const { code, provider, operation, scope, exhausted, native, hint, retryAfterMs } = error;
  const cause = says === error.message ? error.cause : error;
  const details = { message: says, provider, operation, scope, exhausted, native, hint, retryAfterMs, cause };
  return new ProviderError(code, { ...details, effect });
}
