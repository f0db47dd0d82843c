import type { SshEndpoint } from "@slipway/core";
import type { ProcessIdentity, Sandbox } from "../sandbox/index.ts";

/** What a machine's ssh server is started for. */
export interface SshServerSpec {
  /** The machine's own. */
  readonly directory: string;
  readonly address: string;
  /** What `canListenAsShown` says. */
  readonly asShown: boolean;
  readonly sandbox: Sandbox;
  /** Of those that are there, each key lets in. The machine may write them. */
  readonly keyFiles: readonly string[];
}

/** A machine's ssh server, and where it listens. */
export interface SshServer {
  readonly endpoint: SshEndpoint;
  /** Takes no more connections. The process whose end ends those that there are; null if none is left. */
  readonly halt: () => Promise<ProcessIdentity | null>;
}
