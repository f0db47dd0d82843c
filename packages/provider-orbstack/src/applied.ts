import { isProviderError, type ProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { refusal } from "./errors.ts";

const WENT_AWAY = "went-away";

/** Throws what failed after a machine was made: whatever it is, that much is done. */
export function applied(error: unknown): never {
  throw isProviderError(error) && error.native?.code !== WENT_AWAY ? withEffect(error, "applied") : error;
}

/** Something was made, and somebody has removed it since. */
export function wentAway({ operation }: Call, machine: string): ProviderError {
  return refusal("UNAVAILABLE", operation, `${machine} was made, and is not there any more`, {
    effect: "unknown",
    hint: "Somebody has removed it: a further call makes another one.",
    native: { code: WENT_AWAY },
  });
}
