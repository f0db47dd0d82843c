import type { ProgramAnswer } from "@slipway/provider-kit/command";
import type { Daemon } from "./daemon.ts";

/** What a call has beside its arguments. */
export interface Call {
  /** Undefined: it was closed. */
  readonly stdin: string | Uint8Array | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the client alone; what it began goes on. */
  readonly signal: AbortSignal;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** One subcommand. It throws a `Refusal` for what it does not do. */
export type Command = (daemon: Daemon, args: readonly string[], call: Call) => Promise<ProgramAnswer>;
export type CommandTable = Readonly<Record<string, Command>>;
