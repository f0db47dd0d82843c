import type { Operation } from "@slipway/core";

/** One call of the contract: all its requests carry its name and end with its signal. */
export interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}
