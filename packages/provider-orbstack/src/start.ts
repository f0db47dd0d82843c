import { isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";

/** Starts a machine that nobody was given yet. It takes an address as a creation does, so the breaker holds it back too. */
export async function startMachine({ client, breaker }: OrbstackContext, call: Call, id: string): Promise<void> {
  breaker.assertClosed(call);
  try {
    await client.start(call, id);
    breaker.close();
  } catch (error) {
    if (isProviderError(error)) breaker.note(error);
    throw error;
  }
}
