import { type CallOptions, canExec, type ExecMethods, type Provider, type TerminalMethods } from "@slipway/core";
import { openNativeSession, type PortForwardMethods } from "./native-session.ts";
import { refusal } from "./refusal.ts";
import type { NativeSession, Session, SshAccess } from "./session.ts";
import { openSshSession } from "./ssh-session.ts";

/** What `openSession` takes after the id: a key, unless the provider's type has exec. */
export type AccessArguments<P> = P extends ExecMethods
  ? [access?: (SshAccess & CallOptions) | undefined]
  : [access: SshAccess & CallOptions];

/** The session that the provider's type promises: `tty` and `forward` are there where it can open a terminal and forward a port. */
export type SessionOf<P> = P extends ExecMethods
  ? NativeSession &
      (P extends TerminalMethods ? Required<Pick<NativeSession, "tty">> : unknown) &
      (P extends PortForwardMethods ? Required<Pick<NativeSession, "forward">> : unknown)
  : Session;

/**
 * Opens a way into an instance: the provider's own exec where it has one, OpenSSH elsewhere. Connects at the first
 * command. Rejects with NOT_FOUND, with UNAVAILABLE as long as the provider shows no SSH endpoint, or with UNSUPPORTED.
 *
 * @example
 * ```ts
 * import { local } from "@slipway/provider-local";
 *
 * const machines = local({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1" });
 * await using session = await openSession(machines, id);
 * console.log((await session.exec(["uname", "-r"])).stdout);
 * ```
 */
export async function openSession<P extends Provider>(
  provider: P,
  id: string,
  ...rest: AccessArguments<P>
): Promise<SessionOf<P>> {
  // What is there at run time is what the provider's type says of it: SessionOf<P>.
  return (await opened(provider, id, rest[0])) as SessionOf<P>;
}

async function opened(provider: Provider, id: string, access: (SshAccess & CallOptions) | undefined): Promise<Session> {
  if (canExec(provider)) return openNativeSession(provider, id, access?.runtime);
  const { name } = provider;
  if (access === undefined) {
    throw refusal("UNSUPPORTED", name, "openSession", `provider ${name} has no exec: pass an SSH key`);
  }
  const instance = await provider.get(id, { signal: access.signal, timeoutMs: access.timeoutMs });
  if (instance === null || instance.status === "terminated") {
    throw refusal("NOT_FOUND", name, "openSession", `${name} has no instance ${id}`);
  }
  const endpoint = access.endpoint === undefined ? instance.ssh : access.endpoint(instance.ssh);
  if (endpoint === undefined) {
    throw refusal("UNAVAILABLE", name, "openSession", `${id} shows no SSH endpoint yet`);
  }
  return await openSshSession(name, id, endpoint, access);
}
