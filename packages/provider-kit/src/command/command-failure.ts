import { type ErrorCode, type ErrorEffect, isProviderError, type Operation, ProviderError } from "@slipway/core";
import { type CommandError, type CommandFault, commandLine, isCommandError } from "./command-error.ts";

export interface CommandFailureContext {
  readonly provider: string;
  readonly operation: Operation;
  /**
   * What is true of the remote if the command ran at all: `none` for one that only reads, `unknown` for one that writes,
   * `applied` where an earlier command of the same call has done its work.
   */
  readonly effect: ErrorEffect;
  /** What the user does next; for a program that is missing the default says to install it. */
  readonly hint?: string | undefined;
}

interface Row {
  readonly code: ErrorCode;
  readonly hint?: (error: CommandError) => string;
}

const program = (error: CommandError): string => error.command[0] ?? "the program";

const ROWS: Readonly<Record<CommandFault, Row>> = {
  notFound: { code: "UNAVAILABLE", hint: (error) => `Install ${program(error)}, or put it on the PATH.` },
  notExecutable: {
    code: "UNAVAILABLE",
    hint: (error) => `Make ${program(error)} executable for this user, and check its interpreter.`,
  },
  badWorkingDirectory: { code: "UNAVAILABLE", hint: () => "Create the directory, or give another one." },
  invalid: { code: "INTERNAL" },
  notStarted: { code: "UNAVAILABLE", hint: () => "The system could not start a process: check its limits and memory." },
  timedOut: { code: "TIMEOUT" },
  cancelled: { code: "CANCELLED" },
  outputTooLarge: { code: "INTERNAL", hint: () => "Ask the command for less, or raise maxOutputBytes." },
};

/** No limit of the machine's that could be raised: the same words would be refused again. */
const TOO_LONG: Row = {
  code: "INVALID_SPEC",
  hint: () => "An argument is too long: hand over by stdin what is large.",
};

/**
 * The ProviderError for a command without a result. A command that never started did nothing, so `unknown` becomes
 * `none`; `applied` stays, since it speaks of what was done before. A ProviderError comes back as it is.
 */
export function commandFailure(error: unknown, context: CommandFailureContext): ProviderError {
  if (isProviderError(error)) return error;
  const { provider, operation, effect } = context;
  if (!isCommandError(error)) {
    // Its text may hold anything, so the message names its kind alone.
    const kind = error instanceof Error ? error.name : typeof error;
    const message = `${operation} failed while it ran a command (${kind})`;
    return new ProviderError("INTERNAL", { message, provider, operation, effect, hint: context.hint, cause: error });
  }
  const row = error.systemCode === "E2BIG" ? TOO_LONG : ROWS[error.fault];
  return new ProviderError(row.code, {
    message: `${commandLine([program(error)])}: ${error.reason}`,
    provider,
    operation,
    effect: !error.started && effect === "unknown" ? "none" : effect,
    ...(error.systemCode === undefined ? {} : { native: { code: error.systemCode } }),
    hint: context.hint ?? row.hint?.(error),
    cause: error,
  });
}
