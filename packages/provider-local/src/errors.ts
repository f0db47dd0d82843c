import { type ErrorCode, type ErrorEffect, isProviderError, type Operation, ProviderError } from "@slipway/core";
import { SandboxError, type SandboxErrorReason } from "@slipway/provider-kit/sandbox";

export const PROVIDER_NAME = "local";

/** One thing that can go wrong. */
export interface Row {
  readonly code: ErrorCode;
  /** What is true when the row is emitted, unless the place of the call knows better. */
  readonly effect: ErrorEffect;
  readonly hint?: string;
}

export type LocalErrorId =
  | "other-spec"
  | "name-taken"
  | "busy"
  | "corrupt-record"
  | "no-space"
  | "not-writable"
  | "state-unreadable"
  | "not-started"
  | "not-ended"
  | "no-sandbox"
  | "bad-request"
  | "unknown-instance"
  | "not-running"
  | "unknown-snapshot"
  | "snapshot-not-available"
  | "unknown-volume"
  | "volume-attached"
  | "copy-failed"
  | "too-much-output"
  | "no-terminal";

/** Everything that can go wrong here, and what the caller gets. */
export const LOCAL_ERRORS: Readonly<Record<LocalErrorId, Row>> = {
  "other-spec": {
    code: "CONFLICT",
    effect: "none",
    hint: "Use another key, or terminate the instance that this key has.",
  },
  "name-taken": {
    code: "CONFLICT",
    effect: "none",
    hint: "Move the directory away, or use another key or state directory.",
  },
  busy: { code: "BUSY", effect: "none", hint: "Another process works on the same key; try again when it is done." },
  "corrupt-record": {
    code: "INTERNAL",
    effect: "none",
    hint: "Nothing was changed. Repair the file, or move its directory away after ending what runs in it.",
  },
  "no-space": {
    code: "QUOTA_EXCEEDED",
    effect: "none",
    hint: "Make space on the file system of the state directory, or set stateDirectory to another one.",
  },
  "not-writable": {
    code: "AUTH_ERROR",
    effect: "none",
    hint: "Make the state directory writable for this user, or set stateDirectory to another one.",
  },
  "state-unreadable": { code: "UNAVAILABLE", effect: "none", hint: "Check the file system of the state directory." },
  "not-started": {
    code: "UNAVAILABLE",
    effect: "none",
    hint: "SLIPWAY_SANDBOX=none starts instances without bubblewrap.",
  },
  "not-ended": { code: "UNAVAILABLE", effect: "unknown", hint: "Call terminate again." },
  "no-sandbox": {
    code: "UNSUPPORTED",
    effect: "none",
    hint: "Install bubblewrap and allow user namespaces, or set SLIPWAY_SANDBOX=none where no isolation is needed.",
  },
  "bad-request": { code: "INVALID_SPEC", effect: "none" },
  "unknown-instance": { code: "NOT_FOUND", effect: "none" },
  "not-running": { code: "INVALID_STATE", effect: "none" },
  "unknown-snapshot": { code: "NOT_FOUND", effect: "none" },
  "snapshot-not-available": { code: "INVALID_STATE", effect: "none" },
  "unknown-volume": { code: "NOT_FOUND", effect: "none" },
  "volume-attached": { code: "INVALID_STATE", effect: "none", hint: "Terminate the instance that it is attached to." },
  "copy-failed": { code: "UNAVAILABLE", effect: "none", hint: "Nothing was kept of the copy." },
  "too-much-output": { code: "INVALID_SPEC", effect: "unknown", hint: "Let the command write to a file." },
  "no-terminal": {
    code: "UNSUPPORTED",
    effect: "none",
    hint: "Install python3, or use exec: it needs no terminal.",
  },
};

/** What a system call says, and which row it is. Anything else is `state-unreadable`. */
const SYSTEM_CODES: Readonly<Record<string, LocalErrorId>> = {
  ENOSPC: "no-space",
  EDQUOT: "no-space",
  EFBIG: "no-space",
  EROFS: "not-writable",
  EACCES: "not-writable",
  EPERM: "not-writable",
};

/** The same from a program, in its words. */
const SYSTEM_WORDS: readonly (readonly [words: RegExp, row: LocalErrorId])[] = [
  [/No space left on device|Disk quota exceeded|File too large/, "no-space"],
  [/Read-only file system/, "not-writable"],
];

/** Which row a program's complaint is, if it is one of the machine. */
export function rowOfWords(said: string): LocalErrorId | undefined {
  return SYSTEM_WORDS.find(([words]) => words.test(said))?.[1];
}

const SANDBOX_REASONS: Readonly<Record<Exclude<SandboxErrorReason, "aborted">, LocalErrorId>> = {
  unsupported: "no-sandbox",
  "not-started": "not-started",
  gone: "not-running",
  "left-over": "not-ended",
  "too-much-output": "too-much-output",
  "no-terminal": "no-terminal",
  invalid: "bad-request",
};

export interface FailureDetails {
  readonly effect?: ErrorEffect | undefined;
  /** The id of the thing in the way. */
  readonly id?: string | undefined;
  readonly cause?: unknown;
}

/** The error of a row. The message is one sentence without secrets. */
export function failure(
  row: LocalErrorId,
  operation: Operation,
  message: string,
  details: FailureDetails = {},
): ProviderError {
  const { code, effect, hint }: Row = LOCAL_ERRORS[row];
  return new ProviderError(code, {
    message,
    provider: PROVIDER_NAME,
    operation,
    effect: details.effect ?? effect,
    ...(hint === undefined ? {} : { hint }),
    ...(details.id === undefined ? {} : { native: { id: details.id } }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  });
}

/** What a sandbox or a file system threw, as the row that it is; other faults of the program pass as they are. */
export function translated(error: unknown, operation: Operation, effect?: ErrorEffect): unknown {
  if (isProviderError(error)) return error;
  if (error instanceof SandboxError) {
    if (error.reason === "aborted") return error;
    const row =
      (error.reason === "not-started" ? rowOfWords(error.message) : undefined) ?? SANDBOX_REASONS[error.reason];
    return failure(row, operation, error.message, { effect, cause: error });
  }
  const code = systemCode(error);
  if (code === undefined) return error;
  const path = error instanceof Error && "path" in error ? String(error.path) : "the state directory";
  const row = SYSTEM_CODES[code] ?? "state-unreadable";
  return failure(row, operation, `${operation} failed on ${path}: ${code}, ${describe(row)}`, { effect, cause: error });
}

function describe(row: LocalErrorId): string {
  if (row === "no-space") return "there is no space left";
  return row === "not-writable" ? "it cannot be written" : "it cannot be read or written now";
}

export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
