import {
  type Clock,
  type CommandOptions,
  type CommandResult,
  deadline,
  type Exec,
  guardedListener,
  type Logger,
  type Runtime,
  type RuntimeEvent,
  runtimeDefaults,
  silentLog,
  systemClock,
  timestamp,
} from "@slipway/core";
import { redact, redactCut } from "../redact.ts";
import { CommandError, type CommandErrorDetails, commandLine } from "./command-error.ts";
import { BASE_ENVIRONMENT, environmentOf } from "./environment.ts";
import { type CommandCall, type CommandInput, runProcess } from "./run-process.ts";

export interface CommandRunnerOptions {
  /** Who runs the commands, in events and log lines. */
  readonly provider?: string | undefined;
  /** What `timeoutMs` is counted on and durations are measured with. */
  readonly clock?: Clock | undefined;
  readonly log?: Logger | undefined;
  /** Gets a `command.run` for each command, also for one that failed to start. */
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
  /** Used where a call does not say otherwise; `env` and `secrets` are joined with the call's. */
  readonly defaults?:
    | Pick<CommandOptions, "env" | "cwd" | "timeoutMs" | "maxOutputBytes" | "secrets" | "signal">
    | undefined;
  /** Names of variables that pass from this process to every command; `BASE_ENVIRONMENT` if absent. */
  readonly inherit?: readonly string[] | undefined;
  /** How long the group has between SIGTERM and SIGKILL; 2 seconds if absent. */
  readonly killGraceMs?: number | undefined;
}

/** An `Exec` that takes a stream as well. Rejects with the stream's own error if it fails. */
export type StreamingExec = (
  file: string,
  args: readonly string[],
  options?: StreamingOptions,
) => Promise<CommandResult>;

export interface StreamingOptions extends Omit<CommandOptions, "stdin"> {
  readonly stdin?: CommandInput | undefined;
}

/** The most that is kept of each stream unless a call says otherwise. */
export const DEFAULT_MAX_OUTPUT_BYTES: number = 8 * 1024 * 1024;

const KILL_GRACE_MS = 2000;
const KEPT_IN_ERRORS = 4000;

/**
 * A runner that keeps the promise of `Exec`: a program with its argument list, in a process group of its own, which ends
 * as a whole when the time is over or the signal aborts. It rejects with a `CommandError` alone, except for what a
 * listener of the caller throws, which ends the group and comes back as it is.
 *
 * When this process ends by itself or by SIGTERM, SIGINT or SIGHUP, the groups it runs get SIGTERM. When it is killed
 * with SIGKILL nothing can be sent: a command then goes on without its pipes, reads the end of its input, and is ended
 * by SIGPIPE at its next line, unless it ignores that. What must not outlive its parent needs a sandbox.
 */
export function commandRunner(options: CommandRunnerOptions = {}): StreamingExec {
  const {
    provider = "command",
    clock = systemClock,
    log = silentLog,
    inherit = BASE_ENVIRONMENT,
    killGraceMs = KILL_GRACE_MS,
  } = options;
  const onEvent = options.onEvent === undefined ? undefined : guardedListener(options.onEvent);

  return async (file, args, call = {}) => {
    const settings = { ...options.defaults, ...withoutUndefined(call) };
    const secrets = [...(options.defaults?.secrets ?? []), ...(call.secrets ?? [])];
    const command = [file, ...args].map((part) => redact(String(part), secrets));
    const begun = clock.now();
    const report = (exitCode: number | null): void => {
      const durationMs = clock.now() - begun;
      log.debug(`ran ${commandLine(command)}`, { provider, exitCode, durationMs });
      onEvent?.({ type: "command.run", at: timestamp(clock), provider, command, durationMs, exitCode });
    };
    const limit = deadline(clock, settings.timeoutMs, settings.signal);
    try {
      const result = await runChecked(limit.signal, {
        file,
        args,
        cwd: settings.cwd,
        environment: environmentOf(inherit, options.defaults?.env, call.env),
        stdin: settings.stdin,
        maxOutputBytes: settings.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES,
        onStdout: settings.onStdout,
        onStderr: settings.onStderr,
        signal: limit.signal,
        secrets,
        killGraceMs,
        describe: (fault) =>
          new CommandError(redacted({ ...fault, command, durationMs: clock.now() - begun }, secrets)),
      });
      report(result.exitCode);
      return result;
    } catch (error) {
      report(null);
      throw error;
    } finally {
      limit.release();
    }
  };
}

/**
 * What a provider runs its command with: the caller's own `exec`, or a runner that uses the caller's clock and log.
 *
 * @example
 * ```ts
 * const exec = execOf(options.runtime, { provider: "example", killGraceMs: 500 });
 * ```
 */
export function execOf(
  runtime: Partial<Runtime> | undefined,
  options: Omit<CommandRunnerOptions, "clock" | "log" | "onEvent"> & { readonly provider: string },
): Exec {
  const { clock, log, onEvent } = runtimeDefaults(runtime);
  return runtime?.exec ?? commandRunner({ ...options, clock, log, onEvent });
}

/** A runner with the machine's clock and nobody listening. */
export const runCommand: StreamingExec = commandRunner();

async function runChecked(signal: AbortSignal, call: CommandCall): Promise<CommandResult> {
  const wrong = invalidCall(call);
  if (wrong !== null) throw call.describe({ fault: "invalid", reason: wrong, started: false });
  if (signal.aborted) throw call.describe({ ...interruption(signal), started: false });
  return await runProcess(call, () => interruption(signal));
}

function interruption(signal: AbortSignal): Pick<CommandErrorDetails, "fault" | "reason" | "cause"> {
  const reason: unknown = signal.reason;
  const timedOut = typeof reason === "object" && reason !== null && "name" in reason && reason.name === "TimeoutError";
  return timedOut
    ? { fault: "timedOut", reason: "it did not finish in time, and was ended", cause: reason }
    : { fault: "cancelled", reason: "it was cancelled, and ended", cause: reason };
}

// The end of the output, where programs say what went wrong; redacted before it is cut, so that no half secret stays.
function redacted(details: CommandErrorDetails, secrets: readonly string[]): CommandErrorDetails {
  const end = (text: string | undefined): string => redactCut(text ?? "", secrets).slice(-KEPT_IN_ERRORS);
  return {
    ...details,
    reason: redact(details.reason, secrets),
    stdout: end(details.stdout),
    stderr: end(details.stderr),
  };
}

function withoutUndefined(call: StreamingOptions): StreamingOptions {
  return Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined));
}

// A shorter "secret" stands in too many arguments by chance.
const SHORTEST_SECRET = 6;

/**
 * What is wrong with a call before anything runs, or null. An argument list is open to every user of the machine, so a
 * secret in it is refused: it goes by stdin, by the environment, or in a file.
 */
function invalidCall({ file, args, environment, secrets, cwd }: CommandCall): string | null {
  if (typeof file !== "string" || file === "") return "the program must be a text that is not empty";
  if (args.some((argument) => typeof argument !== "string")) return "every argument must be a text";
  const texts = [file, ...args, cwd ?? "", ...Object.entries(environment).flat()];
  if (texts.some((text) => typeof text !== "string")) return "every variable of the environment must be a text";
  if (texts.some((text) => text.includes("\0"))) return "an argument, a variable or the directory holds a NUL";
  if (Object.keys(environment).some((name) => name === "" || name.includes("="))) {
    return "a variable of the environment has a name that is empty or holds an equals sign";
  }
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
  const at = args.findIndex((argument) => known.some((secret) => argument.includes(secret)));
  return at === -1 ? null : `argument ${at + 1} holds a secret: give it by stdin, environment or file`;
}
