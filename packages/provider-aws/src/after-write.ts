import { abortError, type ErrorEffect, isProviderError } from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import { type Call, PROVIDER } from "./call.ts";

/**
 * What a call does once it has changed something: whatever fails there, the change is made, and the error says so.
 * `done` begins its message, as "the instance is there".
 */
export function afterWrite<T>(call: Call, done: string, work: () => Promise<T>): Promise<T> {
  return atLeast("applied", call, done, work);
}

/**
 * The reads that find out what a write came to that EC2 refused because of another one, as a repeated launch over a
 * quota: where they fail it is unknown whether something is there. `refused` begins the message.
 */
export function afterRefusal<T>(call: Call, refused: string, work: () => Promise<T>): Promise<T> {
  return atLeast("unknown", call, refused, work);
}

const CERTAINTY: readonly ErrorEffect[] = ["none", "unknown", "applied"];

async function atLeast<T>(
  effect: "applied" | "unknown",
  { operation, signal }: Call,
  said: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw abortError(signal, { provider: PROVIDER, operation, effect });
    if (!isProviderError(error) || CERTAINTY.indexOf(error.effect) >= CERTAINTY.indexOf(effect)) throw error;
    throw withEffect(error, effect, `${said}, but: ${error.message}`);
  }
}
