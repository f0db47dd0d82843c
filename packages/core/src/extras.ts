import type { CallOptions } from "./options.ts";

/** How a command inside the instance ended. A non-zero exit is a result. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions extends CallOptions {
  readonly stdin?: string | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** Beyond the contract: providers that can run a command inside an instance without ssh. */
export interface ExecMethods {
  /** Runs a program with an argument list, never through a shell. NOT_FOUND or INVALID_STATE if the instance cannot. */
  readonly exec: (id: string, argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>;
}

export interface LogOptions {
  readonly signal?: AbortSignal | undefined;
  /** Go on with what is yet to come, until the instance ends or the signal aborts. */
  readonly follow?: boolean | undefined;
}

/** Beyond the contract: providers that can show what the bootstrap and the console printed. */
export interface LogMethods {
  /** Yields whole lines without their newline. */
  readonly logs: (id: string, options?: LogOptions) => AsyncIterable<string>;
}

export function canExec<P extends object>(provider: P): provider is P & ExecMethods {
  return "exec" in provider && typeof provider.exec === "function";
}

export function canLog<P extends object>(provider: P): provider is P & LogMethods {
  return "logs" in provider && typeof provider.logs === "function";
}
