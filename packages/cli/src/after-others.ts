import { isProviderError } from "@slipway/core";
import type { Session } from "./session.ts";

const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 100;

/**
 * Launches once no other process works on the same key: it is done soon, and then this command answers its instance.
 * The looks come at odd moments, so that many commands of one key do not all wake up together and lose to one of them.
 */
export async function afterOthers<T>({ world }: Session, launch: () => Promise<T>): Promise<T> {
  const until = world.clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await launch();
    } catch (error) {
      if (!isHeldByOthers(error) || world.clock.now() >= until) throw error;
    }
    await world.clock.sleep(LOOK_EVERY_MS * (0.5 + Math.random()), world.signal);
  }
}

/** The lease of the key is taken. A conflict over other options names the instance, and does not pass. */
function isHeldByOthers(error: unknown): boolean {
  return isProviderError(error, "CONFLICT") && error.operation === "launch" && error.native === undefined;
}
