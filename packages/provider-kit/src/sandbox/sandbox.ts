import type { SandboxNetwork } from "./bubblewrap.ts";
import type { Isolation } from "./isolation.ts";
import type { ProcessIdentity } from "./process-identity.ts";

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
