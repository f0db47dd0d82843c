import { EXIT } from "./exit-code.ts";

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
