import type { ProgramAnswer } from "@slipway/provider-kit/command";
import type { Machine } from "./machine.ts";

/** What a call has beside its arguments. */
export interface Call {
  readonly stdin: string | Uint8Array;
  /** Ends with the command itself; what it began goes on. */
  readonly signal: AbortSignal;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** One command. It throws a `Refusal` for what it does not do. */
export type Verb = (machine: Machine, args: readonly string[], call: Call) => Promise<ProgramAnswer>;
