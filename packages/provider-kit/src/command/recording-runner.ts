import type { CommandResult, Exec } from "@slipway/core";
import { redact } from "../redact.ts";
import { type CommandFault, isCommandError } from "./command-error.ts";

/** One call as it went: redacted and JSON-safe, so that it can be kept in a file and replayed. */
export interface CommandRecord {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** As text; bytes that are no UTF-8 are shown by the replacement character. */
  readonly stdin?: string;
  /** What the call itself gave; the runner's base environment is not recorded. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly result?: CommandResult;
  /** In place of a result. */
  readonly failed?: { readonly fault: CommandFault | "other"; readonly reason: string; readonly started: boolean };
}

export type CommandTranscript = readonly CommandRecord[];

export interface RecordingRunner {
  readonly exec: Exec;
  /** Grows with every call, in the order in which they were made. A call that is not done has neither result nor failure. */
  readonly transcript: CommandTranscript;
}

/** Runs everything through `exec` and writes down what was asked and answered, without the secrets of the calls. */
export function recordingRunner(exec: Exec, options: { readonly secrets?: readonly string[] } = {}): RecordingRunner {
  const transcript: CommandRecord[] = [];
  return {
    transcript,
    exec: async (file, args, call = {}) => {
      const secrets = [...(options.secrets ?? []), ...(call.secrets ?? [])];
      const clean = (text: string): string => redact(text, secrets);
      const asked: CommandRecord = {
        command: [file, ...args].map(clean),
        ...(call.stdin === undefined ? {} : { stdin: clean(textOf(call.stdin)) }),
        ...(call.env === undefined ? {} : { env: mapped(call.env, clean) }),
        ...(call.cwd === undefined ? {} : { cwd: clean(call.cwd) }),
      };
      const at = transcript.push(asked) - 1;
      try {
        const result = await exec(file, args, call);
        transcript[at] = {
          ...asked,
          result: { ...result, stdout: clean(result.stdout), stderr: clean(result.stderr) },
        };
        return result;
      } catch (error) {
        transcript[at] = { ...asked, failed: failureOf(error, clean) };
        throw error;
      }
    },
  };
}

/** What a call sends as text. */
export function textOf(stdin: string | Uint8Array): string {
  return typeof stdin === "string" ? stdin : new TextDecoder().decode(stdin);
}

function failureOf(error: unknown, clean: (text: string) => string): NonNullable<CommandRecord["failed"]> {
  if (isCommandError(error)) return { fault: error.fault, reason: clean(error.reason), started: error.started };
  return { fault: "other", reason: clean(error instanceof Error ? error.message : String(error)), started: true };
}

function mapped(
  record: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
