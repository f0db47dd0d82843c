import type { CommandOptions, CommandResult, Exec } from "@slipway/core";
import { redact } from "../redact.ts";
import { CommandError, type CommandFault, commandLine, isCommandError } from "./command-error.ts";

export interface ScriptedOptions {
  /** `strict` (the default): calls come in the order of the transcript. `any`: each record is used once, in any order. */
  readonly order?: "strict" | "any" | undefined;
  /** Secrets that were redacted in the transcript, beside those that the calls themselves name. */
  readonly secrets?: readonly string[] | undefined;
}

export interface ScriptedRunner {
  readonly exec: Exec;
  /** What was not asked for yet. */
  readonly remaining: () => CommandTranscript;
  /** Throws, naming the first record that nobody asked for. To be called at the end of a test. */
  readonly assertDone: () => void;
}

/**
 * Answers calls from a transcript, written by hand or recorded. A call matches a record if the command is equal, and
 * stdin, env and cwd are where the record has them. A call that nothing matches rejects with an error that names it and
 * what was expected.
 */
export function scriptedRunner(transcript: CommandTranscript, options: ScriptedOptions = {}): ScriptedRunner {
  const left = [...transcript];
  return {
    remaining: () => [...left],
    assertDone: () => {
      const [next] = left;
      if (next !== undefined) {
        throw new Error(`${left.length} expected command(s) never came, first: ${commandLine(next.command)}`);
      }
    },
    exec: async (file, args, call = {}) => {
      const secrets = [...(options.secrets ?? []), ...(call.secrets ?? [])];
      const command = [file, ...args].map((part) => redact(part, secrets));
      if (call.signal?.aborted === true) {
        const reason = "it was cancelled";
        throw new CommandError({ fault: "cancelled", reason, command, started: false, durationMs: 0 });
      }
      const candidates = options.order === "any" ? left : left.slice(0, 1);
      const at = candidates.findIndex((record) => difference(record, command, call, secrets) === null);
      const [record] = at === -1 ? [] : left.splice(at, 1);
      if (record === undefined) throw new Error(unexpected(candidates, command, call, secrets));
      return replay(record, command, call);
    },
  };
}

function difference(
  record: CommandRecord,
  command: readonly string[],
  call: CommandOptions,
  secrets: readonly string[],
): string | null {
  const same = record.command.length === command.length && record.command.every((part, at) => part === command[at]);
  if (!same) return "command";
  const stdin = call.stdin === undefined ? undefined : redact(textOf(call.stdin), secrets);
  if (record.stdin !== undefined && record.stdin !== stdin) return "stdin";
  if (record.cwd !== undefined && record.cwd !== call.cwd) return "cwd";
  for (const [name, value] of Object.entries(record.env ?? {})) {
    if (value !== redact(call.env?.[name] ?? "", secrets)) return `env.${name}`;
  }
  return null;
}

function unexpected(
  candidates: CommandTranscript,
  command: readonly string[],
  call: CommandOptions,
  secrets: readonly string[],
): string {
  const [next] = candidates;
  if (next === undefined) return `unexpected command: ${commandLine(command)}; the transcript is over`;
  const what = difference(next, command, call, secrets);
  const expected = what === "command" ? commandLine(next.command) : `the same with another ${what}`;
  return `unexpected command: ${commandLine(command)}; expected: ${expected}`;
}

function replay(record: CommandRecord, command: readonly string[], call: CommandOptions): CommandResult {
  const { failed, result } = record;
  if (failed !== undefined) {
    if (failed.fault === "other") throw new Error(failed.reason);
    throw new CommandError({ ...failed, fault: failed.fault, command, durationMs: 0 });
  }
  if (result === undefined) throw new Error(`the record of ${commandLine(command)} has neither result nor failure`);
  if (result.stdout !== "") call.onStdout?.(result.stdout);
  if (result.stderr !== "") call.onStderr?.(result.stderr);
  return result;
}

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
function textOf(stdin: string | Uint8Array): string {
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
