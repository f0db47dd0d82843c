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
