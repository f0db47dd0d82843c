import type { BootstrapSource } from "@slipway/control";
import { lookInside } from "@slipway/provider-kit/bootstrap";
import type { Session } from "./session.ts";

const READ_MS = 30_000;

/**
 * What the bootstrap wrote on the instance itself, read through a session: a source for `waitForBootstrap` where the
 * provider does not report bootstrap status. It is the instance's word, and only as old as the call.
 */
export function sessionBootstrap(session: Session): BootstrapSource {
  return {
    name: "the session",
    readBootstrap: async (_id, { signal, timeoutMs = READ_MS } = {}) =>
      await lookInside((argv) => session.exec(argv, { signal, timeoutMs })),
  };
}
