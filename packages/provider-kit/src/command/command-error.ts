import { type ErrorCode, type ErrorEffect, isProviderError, type Operation, ProviderError } from "@slipway/core";

/**
 * Why the runner could not give a result.
 *
 * - `notFound`: no such program, by its path or on the PATH.
 * - `notExecutable`: it is there, but this user may not run it, or its interpreter is missing.
 * - `badWorkingDirectory`: `cwd` does not exist, is no directory, or may not be entered.
 * - `invalid`: the call itself is wrong: a NUL in an argument, a secret in the argument list.
 * - `notStarted`: the system refused for another reason (`systemCode` says which): out of processes, list too long.
 * - `timedOut`, `cancelled`: the time or the signal ended it.
 * - `outputTooLarge`: a stream went past `maxOutputBytes`, and the group was ended.
 */
export type CommandFault =
  | "notFound"
  | "notExecutable"
  | "badWorkingDirectory"
  | "invalid"
  | "notStarted"
  | "timedOut"
  | "cancelled"
  | "outputTooLarge";

export interface CommandErrorDetails {
  readonly fault: CommandFault;
  /** What happened, as a sentence without the command; redacted by the one who makes it. */
  readonly reason: string;
  /** Redacted. */
  readonly command: readonly string[];
  readonly started: boolean;
  readonly durationMs: number;
  readonly stdout?: string | undefined;
  readonly stderr?: string | undefined;
  readonly systemCode?: string | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("slipway.CommandError");

/**
 * The command has no result. It is not a ProviderError: what it means for the remote is known only where the command was
 * run. `commandFailure` makes one of it. All texts are redacted, and of the output only the end is kept.
 */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly fault: CommandFault;
  /** The message without the command. */
  readonly reason: string;
  readonly command: readonly string[];
  /** False: nothing ran, so nothing changed. */
  readonly started: boolean;
  readonly durationMs: number;
  /** The end of what it had printed. */
  readonly stdout: string;
  readonly stderr: string;
  /** What the system said where it could not be started, for example `E2BIG`. */
  readonly systemCode?: string;
  readonly notFound: boolean;
  readonly notExecutable: boolean;
  readonly badWorkingDirectory: boolean;
  readonly invalid: boolean;
  readonly notStarted: boolean;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly outputTooLarge: boolean;

  constructor(details: CommandErrorDetails) {
    super(
      `${commandLine(details.command)}: ${details.reason}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    const { fault } = details;
    this.fault = fault;
    this.reason = details.reason;
    this.command = details.command;
    this.started = details.started;
    this.durationMs = details.durationMs;
    this.stdout = details.stdout ?? "";
    this.stderr = details.stderr ?? "";
    if (details.systemCode !== undefined) this.systemCode = details.systemCode;
    this.notFound = fault === "notFound";
    this.notExecutable = fault === "notExecutable";
    this.badWorkingDirectory = fault === "badWorkingDirectory";
    this.invalid = fault === "invalid";
    this.notStarted = fault === "notStarted";
    this.timedOut = fault === "timedOut";
    this.cancelled = fault === "cancelled";
    this.outputTooLarge = fault === "outputTooLarge";
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Also for one that another copy of this package made. */
export function isCommandError(error: unknown): error is CommandError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** A command as one line for a person: odd arguments quoted, long ones and long lists cut. */
export function commandLine(command: readonly string[]): string {
  const shown = command.slice(0, 12).map((part) => {
    const short = part.length > 80 ? `${part.slice(0, 77)}…` : part;
    return /^[\w@%+=:,./…-]+$/.test(short) ? short : JSON.stringify(short);
  });
  return command.length > shown.length ? `${shown.join(" ")} …` : shown.join(" ");
}

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

const MOST_CHARACTERS = 400;

/** What a failed command said, for a message: on one line and not without end; what its end says where it said nothing. */
export function spokenWords(text: string, exitCode: number | null): string {
  const words = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  if (words === "")
    return exitCode === null ? "it was ended by a signal" : `it ended with ${exitCode} and said nothing`;
  return words.length > MOST_CHARACTERS ? `${words.slice(0, MOST_CHARACTERS)}…` : words;
}
