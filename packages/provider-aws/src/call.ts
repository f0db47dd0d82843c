import type { Operation } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";

export const PROVIDER = "aws";

/** One call of the contract: all its requests carry its name and end with its signal. */
export interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/** A refusal by this package itself, or one in its own words; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);
