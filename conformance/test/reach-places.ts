import { spawnSync } from "node:child_process";
import type { ReachHarness } from "@slipway/contract-tests/reach";
import type { ExecMethods, Instance, Provider } from "@slipway/core";
import { openSession, type Session, type SshAccess } from "@slipway/reach";

/** Gives every case sessions of its own into one instance. */
export function reachHarnessOf(open: () => Promise<Session>, cut?: () => Promise<void>): ReachHarness {
  return {
    create: async () => {
      const sessions: Session[] = [];
      const reopen = async (): Promise<Session> => {
        const session = await open();
        sessions.push(session);
        return session;
      };
      return {
        session: await reopen(),
        reopen,
        ...(cut === undefined ? {} : { cut }),
        dispose: async () => {
          for (const session of sessions) await session[Symbol.asyncDispose]();
        },
      };
    },
  };
}

/** The provider's own exec: there is no connection that could be cut. */
export function nativeHarness(provider: Provider & ExecMethods, id: string): ReachHarness {
  return reachHarnessOf(() => openSession(provider, id));
}

/** OpenSSH, whose shared connection is killed where a case cuts it. */
export function sshHarness(provider: Provider, instance: Instance, access: SshAccess): ReachHarness {
  const cut = async (): Promise<void> => {
    const host = access.endpoint === undefined ? instance.ssh?.host : access.endpoint(instance.ssh)?.host;
    const killed = spawnSync("pkill", ["-KILL", "-f", `^ssh .* -M -N .* ${host?.replaceAll(".", "[.]")}$`]);
    if (killed.status !== 0) throw new Error("there is no shared connection to cut");
  };
  return reachHarnessOf(() => openSession(provider, instance.id, access), cut);
}
