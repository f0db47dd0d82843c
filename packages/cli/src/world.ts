import type { Clock } from "@slipway/core";

/** Where text goes. */
export interface TextSink {
  readonly write: (text: string) => unknown;
  readonly isTTY: boolean;
  /** The width of the terminal, where there is one. */
  readonly columns?: number | undefined;
}

/** Asks the person at the terminal. Null: they pressed Ctrl-C. */
export interface Prompter {
  readonly confirm: (question: string) => Promise<boolean | null>;
  readonly text: (question: string, initial: string) => Promise<string | null>;
}

/**
 * How a program that took over the terminal ended; by the shell's rule 128 and the signal's number, if a signal ended it.
 * When `signal` aborts, the program is ended.
 */
export type SpawnProcess = (file: string, args: readonly string[], signal: AbortSignal) => Promise<number>;

/** One press of Ctrl-C, or a signal that a program sent. */
export interface Interrupt {
  /** SIGTERM or SIGHUP: a program sends no second one, so the first says all. */
  readonly isFinal: boolean;
  /** Ends this process at once, by the signal itself. */
  readonly quit: () => void;
}

/** From now on every interrupt goes to the listener, and to nothing else. Returns what ends that. */
export type HandleInterrupts = (listener: (interrupt: Interrupt) => void) => () => void;

/** All that the command takes from the machine. A test hands in its own, and runs the whole command in its process. */
export interface World {
  readonly stdin: {
    readonly isTTY: boolean;
    /** All that comes, until the end. */
    readonly read: () => Promise<Uint8Array>;
  };
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Absolute. */
  readonly cwd: string;
  /** The user that this process runs as; null where the system does not number its users. */
  readonly uid: number | null;
  /** The directory of the command's own package, links resolved. */
  readonly installedAt: string;
  /** Aborts when the user interrupts, unless the command handles interrupts itself. */
  readonly signal: AbortSignal;
  readonly handleInterrupts: HandleInterrupts;
  /** Imports a module by package name or by `file:` URL. */
  readonly loadModule: (specifier: string) => Promise<unknown>;
  /** Runs a program on this terminal. Rejects with ENOENT where there is no such program. */
  readonly spawnProcess: SpawnProcess;
  readonly prompter: Prompter;
  readonly nodeVersion: string;
}
