/**
 * Why a sandbox could not do what it was asked. `unsupported`: this machine cannot. `not-started`: it ended before its
 * command began. `gone`: it is not alive. `left-over`: processes of it could not be ended. `aborted`: the signal did.
 * `too-much-output`: a command printed more than was allowed.
 */
export type SandboxErrorReason =
  | "unsupported"
  | "not-started"
  | "gone"
  | "left-over"
  | "aborted"
  | "too-much-output"
  | "invalid";

/** What every function of this module rejects with, file system errors aside: those keep Node's own `code`. */
export class SandboxError extends Error {
  override readonly name: string = "SandboxError";
  readonly reason: SandboxErrorReason;

  constructor(reason: SandboxErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
