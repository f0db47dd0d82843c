import type { BootstrappedInstance, BootstrapSource } from "@slipway/control";
import { canExec, canReadBootstrap, type Provider } from "@slipway/core";
import type { Session } from "./session.ts";

// The provider's `get` may report it all the same.
const NO_WAY_IN: BootstrapSource = {
  name: "this command, which has no key to log in with",
  readBootstrap: async () => null,
};

/** Waits for the bootstrap's success, as the provider reports it or, over its exec, the instance itself. */
export async function waitForBootstrapOf(
  session: Session,
  provider: Provider,
  id: string,
): Promise<BootstrappedInstance> {
  const { waitForBootstrap } = await import("@slipway/control");
  const options = { ...session.call, clock: session.world.clock, onEvent: session.onEvent };
  if (canReadBootstrap(provider)) return waitForBootstrap(provider, id, options);
  if (!canExec(provider)) return waitForBootstrap(provider, id, { ...options, from: NO_WAY_IN });
  const { openSession, sessionBootstrap } = await import("@slipway/reach");
  await using inside = await openSession(provider, id);
  return await waitForBootstrap(provider, id, { ...options, from: sessionBootstrap(inside) });
}
