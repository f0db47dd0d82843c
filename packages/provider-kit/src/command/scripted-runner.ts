import { type CommandOptions, type CommandResult, type Exec } from "@slipway/core";
import { redact } from "../redact.ts";
import { CommandError, commandLine } from "./command-error.ts";
import { type CommandRecord, type CommandTranscript, textOf } from "./recording-runner.ts";

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
