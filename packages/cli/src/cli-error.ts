import type { CommanderError } from "commander";

/** What the process answers to its caller. `exec`, `ssh` and `run` answer with the command's own code instead. */
export const EXIT: {
  readonly ok: 0;
  readonly failure: 1;
  readonly usage: 2;
  /** Of `run`, whatever it is that is not the command's: no other program uses it. */
  readonly notTheCommand: 125;
  readonly interrupted: 130;
} = { ok: 0, failure: 1, usage: 2, notTheCommand: 125, interrupted: 130 };

/** What the command itself refuses or cannot do. */
export type CliErrorCode =
  | "UNKNOWN_COMMAND"
  | "UNKNOWN_OPTION"
  | "MISSING_ARGUMENT"
  | "UNEXPECTED_ARGUMENT"
  | "INVALID_ARGUMENT"
  | "UNREADABLE_FILE"
  | "INVALID_CONFIG"
  | "FOREIGN_PROJECT"
  | "UNSAFE_STATE"
  | "UNREACHABLE_LAUNCH"
  | "UNKNOWN_PROVIDER"
  | "MISSING_PROVIDER"
  | "AMBIGUOUS_PROVIDER"
  | "AMBIGUOUS_KEY"
  | "KEY_IN_USE"
  | "UNKNOWN_OWNER"
  | "CLOCK_DIFFERS"
  | "NEEDS_CONFIRMATION"
  | "DECLINED"
  | "INTERRUPTED"
  | "BROKEN_PROVIDER"
  | "MISSING_TOOL"
  | "NOT_FOUND"
  | "NO_SSH"
  | "SSH_TIMEOUT"
  | "TERMINAL_TIMEOUT"
  | "UNSUPPORTED"
  | "CORRUPT_STATE"
  | "DISK_FULL"
  | "STATE_READ_ONLY"
  | "STATE_UNUSABLE"
  | "INTERNAL";

const EXIT_CODES: Readonly<Record<CliErrorCode, number>> = {
  UNKNOWN_COMMAND: EXIT.usage,
  UNKNOWN_OPTION: EXIT.usage,
  MISSING_ARGUMENT: EXIT.usage,
  UNEXPECTED_ARGUMENT: EXIT.usage,
  INVALID_ARGUMENT: EXIT.usage,
  UNREADABLE_FILE: EXIT.usage,
  INVALID_CONFIG: EXIT.usage,
  FOREIGN_PROJECT: EXIT.usage,
  UNSAFE_STATE: EXIT.usage,
  UNREACHABLE_LAUNCH: EXIT.failure,
  UNKNOWN_PROVIDER: EXIT.usage,
  MISSING_PROVIDER: EXIT.usage,
  AMBIGUOUS_PROVIDER: EXIT.usage,
  AMBIGUOUS_KEY: EXIT.usage,
  KEY_IN_USE: EXIT.failure,
  UNKNOWN_OWNER: EXIT.usage,
  CLOCK_DIFFERS: EXIT.failure,
  NEEDS_CONFIRMATION: EXIT.usage,
  DECLINED: EXIT.interrupted,
  INTERRUPTED: EXIT.interrupted,
  BROKEN_PROVIDER: EXIT.failure,
  MISSING_TOOL: EXIT.failure,
  NOT_FOUND: EXIT.failure,
  NO_SSH: EXIT.failure,
  SSH_TIMEOUT: EXIT.failure,
  TERMINAL_TIMEOUT: EXIT.failure,
  UNSUPPORTED: EXIT.failure,
  CORRUPT_STATE: EXIT.failure,
  DISK_FULL: EXIT.failure,
  STATE_READ_ONLY: EXIT.failure,
  STATE_UNUSABLE: EXIT.failure,
  INTERNAL: EXIT.failure,
};

/** Something that the command itself refuses or cannot do. What a provider answers stays a `ProviderError`. */
export class CliError extends Error {
  override readonly name: string = "CliError";
  readonly code: CliErrorCode;
  /** What the user does next, in one sentence. */
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, hint?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }

  /** Plain data, for `--json`; the cause stays behind, it may hold anything. */
  toJSON(): SerializedCliError {
    const { name, code, message, hint } = this;
    return { name, code, message, ...(hint === undefined ? {} : { hint }) };
  }
}

export interface SerializedCliError {
  readonly name: string;
  readonly code: CliErrorCode;
  readonly message: string;
  readonly hint?: string;
}

const CODES: Readonly<Record<string, CliErrorCode>> = {
  "commander.unknownOption": "UNKNOWN_OPTION",
  "commander.unknownCommand": "UNKNOWN_COMMAND",
  "commander.missingArgument": "MISSING_ARGUMENT",
  "commander.optionMissingArgument": "MISSING_ARGUMENT",
  "commander.missingMandatoryOptionValue": "MISSING_ARGUMENT",
  "commander.excessArguments": "UNEXPECTED_ARGUMENT",
  "commander.help": "MISSING_ARGUMENT",
};

/** What commander says about a wrong line, in the form of every other error. */
export function usageError(error: CommanderError, argv: readonly string[]): CliError {
  const [sentence = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const text = error.code === "commander.help" ? "a subcommand is missing" : sentence;
  const command = argv[0] === undefined || argv[0].startsWith("-") ? "" : ` ${argv[0]}`;
  const meant = suggestion === undefined ? "" : `${suggestion.replace(/^\((.*)\)$/, "$1")} `;
  return new CliError(
    CODES[error.code] ?? "INVALID_ARGUMENT",
    redactValue(error.code, text),
    `${meant}\`slipway${command} --help\` shows what it takes.`,
  );
}

/** A wrong value is not repeated: it may be a secret that was given to the wrong option. */
function redactValue(code: string, sentence: string): string {
  return code === "commander.invalidArgument" ? sentence.replace(/ argument '[\s\S]*' is invalid\./, ":") : sentence;
}

/** The name that was probably meant: at most two letters away, and less than half of what was written. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(written.length / 2));
  for (const name of names) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swapped neighbours. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(i - 1, j) + 1, (row[j - 1] ?? 0) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      row.push(cost);
    }
  }
  return at(a.length, b.length);
}

/** A failure of the operating system's, with its code and the path that it was about. */
export interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

interface Row {
  readonly code: CliErrorCode;
  readonly what: string;
  readonly hint: string;
}

const full: Row = {
  code: "DISK_FULL",
  what: "there is no space left on the disk of",
  hint: "Free some space, or point XDG_STATE_HOME at another disk; then run the same command again.",
};
const readOnly: Row = {
  code: "STATE_READ_ONLY",
  what: "cannot write to",
  hint: "Make it writable for this user, or point XDG_STATE_HOME at a directory that is.",
};
const ROWS: Readonly<Record<string, Row>> = {
  ENOSPC: full,
  EDQUOT: full,
  EROFS: readOnly,
  EACCES: readOnly,
  EPERM: readOnly,
};
const other: Row = {
  code: "STATE_UNUSABLE",
  what: "cannot use",
  hint: "Point XDG_STATE_HOME at a directory that this user can read and write.",
};

/** What the user is told when the state directory cannot be read or written. */
export function stateFailure(error: SystemError, fallbackPath: string): CliError {
  const row = ROWS[error.code] ?? other;
  return new CliError(row.code, `${row.what} ${error.path ?? fallbackPath} (${error.code})`, row.hint, error);
}
