import { abortError, isProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "./call.ts";
import { PROVIDER } from "./errors.ts";

/**
 * What a call does once it has changed something: whatever fails there, the change is made, and the error says so.
 * `done` begins its message, as "the instance is there".
 */
export async function afterWrite<T>({ operation, signal }: Call, done: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal, { provider: PROVIDER, operation, effect: "applied" });
    if (!isProviderError(error) || error.effect === "applied") throw error;
    throw withEffect(error, "applied", `${done}, but: ${error.message}`);
  }
}
