import { CliError, type CliErrorCode } from "./cli-error.ts";
import type { SystemError } from "./system-error.ts";

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
