import type { SandboxNetwork } from "./bubblewrap.ts";
import type { ProcessIdentity } from "./process-identity.ts";
/**
 * `bubblewrap`: own user, pid, mount, ipc and uts namespaces; the host's files are not to be seen but for read-only system
 * directories. `process-group`: only a process group with its own directories; no security boundary.
 */
export type Isolation = "bubblewrap" | "process-group";

/** What this machine can do, tried out. */
export interface IsolationReport {
  readonly isolation: Isolation;
  /** Why it is not bubblewrap; null if it is. One line. */
  readonly reason: string | null;
  /** The programs that bubblewrap's isolation is made and entered with; null without it. */
  readonly tools: IsolationTools | null;
}

export interface IsolationTools {
  readonly bwrap: string;
  readonly nsenter: string;
  readonly setpriv: string;
}

/** A sandbox that was started: plain data, to be stored and used by any process of the same user. */
export interface Sandbox {
  readonly id: string;
  readonly isolation: Isolation;
  readonly network: SandboxNetwork;
  /** All of it: its root, its log, its status. */
  readonly directory: string;
  /** The process whose end is the sandbox's end: pid 1 inside, or the leader of the group. */
  readonly process: ProcessIdentity;
}
