import assert from "node:assert/strict";
import { ProviderError } from "@slipway/core";
import { type MemoryProvider, type MemoryWorld, memory, memoryWorld } from "@slipway/provider-memory";

export const OWNER = "house";
export const SPEC = { spec: "m1.small" };
/** A world and a provider in it. */
export function house(): { readonly world: MemoryWorld; readonly provider: MemoryProvider } {
  const world = memoryWorld();
  return { world, provider: memory({ owner: OWNER, world }) };
}

/** What a call rejects with; it must not resolve. */
export async function failure(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.fail("it resolved");
}

/** A spawn whose end nobody saw, or that never began. */
export const unclear = (effect: "none" | "unknown"): ProviderError =>
  new ProviderError("NETWORK", { message: "cut off", provider: "house", operation: "spawn", effect });
