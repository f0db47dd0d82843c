import type { BootstrapSource } from "@slipway/control";
import { lookInside } from "@slipway/provider-kit/bootstrap";
import type { SessionMethods } from "./session.ts";

const READ_MS = 30_000;

/**
 * What the bootstrap wrote on the instance itself, read through a session: a source for `waitForBootstrap` where the
 * provider does not report bootstrap status. It is the instance's word, and only as old as the call.
 *
 * @example
 * ```ts
 * import { waitForBootstrap } from "@slipway/control";
 * import { openSession } from "@slipway/reach";
 * import { local } from "@slipway/provider-local";
 *
 * const machines = local({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1", bootstrap: { script: "echo ready" } });
 * await using session = await openSession(machines, id);
 * await waitForBootstrap(machines, id, { from: sessionBootstrap(session) });
 * ```
 */
export function sessionBootstrap(session: Pick<SessionMethods, "exec">): BootstrapSource {
  return {
    name: "the session",
    readBootstrap: async (_id, { signal, timeoutMs = READ_MS } = {}) =>
      await lookInside((argv) => session.exec(argv, { signal, timeoutMs })),
  };
}
