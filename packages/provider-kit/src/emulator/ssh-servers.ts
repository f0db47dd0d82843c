import { sshdMissing, startSshd } from "./machine-sshd.ts";
import type { SshServer, SshServerSpec } from "./ssh-server.ts";

/** A kind of ssh server for machines. */
export interface SshServers {
  /** For the emulator's first line. */
  readonly name: string;
  readonly start: (spec: SshServerSpec) => Promise<SshServer>;
}

/** What is missing for an ssh server, or null. */
export async function sshServerMissing(): Promise<string | null> {
  const missing = sshdMissing();
  return missing === null ? null : `${missing} is not installed`;
}

/** OpenSSH's where it is found. */
export async function sshServers(): Promise<SshServers> {
  return { name: "OpenSSH's sshd", start: startSshd };
}
