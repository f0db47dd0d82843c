import type { Clock, Operation } from "@slipway/core";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { __Name__Client } from "./client/client.ts";

/** One call of the contract: all its requests carry its name and end with its signal. */
export interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/** What the methods of one provider have in common. */
export interface __Name__Context {
  readonly owner: string;
  readonly clock: Clock;
  readonly client: __Name__Client;
  readonly keyedMutex: KeyedMutex;
  // #if multiRegion
  readonly regions: readonly [string, ...string[]];
  // #end
}

// What could be an id is asked for, and nothing else reaches a path or an argument list.
const ID = /^[a-z0-9-]{1,64}$/;

export function isId(id: string): boolean {
  return ID.test(id) && !id.startsWith("-");
}
