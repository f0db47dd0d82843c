import {
  abortError,
  type Clock,
  type CommandOptions,
  type CommandResult,
  deadline,
  isProviderError,
  ProviderError,
  type SshEndpoint,
  systemClock,
} from "@slipway/core";
import { commandRunner, isCommandError } from "@slipway/provider-kit/command";
import { checkCommand, joinInput, quoteWord, renderLineWithMarkers, renderSettings } from "./command-line.ts";
import { download } from "./copy.ts";
import { END_COMMAND, END_TIMEOUT_MS } from "./end-command.ts";
import { forwardPort } from "./forward.ts";
import { holdAbort } from "./held-abort.ts";
import { attachJob, type JobHost, startJob } from "./job.ts";
import type {
  Forward,
  RunOnTerminal,
  SessionExecOptions,
  SessionMethods,
  SessionResult,
  SshAccess,
  SshSession,
  TtyOptions,
} from "./session.ts";
import { cannotConnect, type Master, SshConnection, type SshTarget, wasNotSent } from "./ssh-connection.ts";
import { StderrMarkers } from "./stderr-markers.ts";
import { lostTerminal, renderTerminalLine, runOnTerminal, type TerminalHost } from "./terminal.ts";
import { upload } from "./upload.ts";

interface Remote {
  readonly target: SshTarget;
  readonly connection: SshConnection;
  readonly clock: Clock;
}

/** A session over the system's own `ssh`. Connects at the first command. */
export async function openSshSession(
  provider: string,
  id: string,
  endpoint: SshEndpoint,
  { identityFile, hostKeys, runtime = {} }: SshAccess,
): Promise<SshSession> {
  const own = commandRunner({ provider });
  const { exec = own, stream = runtime.exec === undefined ? own : null } = runtime;
  const target: SshTarget = { provider, id, endpoint, identityFile, hostKeys, exec, stream };
  const connection = await SshConnection.prepare(target);
  const remote: Remote = { target, connection, clock: runtime.clock ?? systemClock };
  const run: SessionMethods["exec"] = (argv, options) => execOverSsh(remote, argv, options ?? {});
  const host: JobHost = { provider, instanceId: id, clock: remote.clock, exec: run, ...sendingBy(remote) };
  const forwards = new Set<Forward>();
  return {
    via: "ssh",
    hostKey: hostKeys?.from ?? "first-use",
    exec: run,
    start: (argv, options) => startJob(host, argv, options),
    job: (jobId) => attachJob(host, jobId),
    upload: (from, to, options) => upload(host, from, to, options),
    download: (from, to, options) => download(host, from, to, options),
    tty: (argv, options) => ttyOverSsh(remote, runtime.terminal, argv, options),
    forward: async (port, options) => {
      const opened = await forwardPort(
        { provider, lead: (to, signal) => connection.leadTo(to, signal) },
        port,
        options,
      );
      forwards.add(opened);
      return opened;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...forwards].map((forward) => forward[Symbol.asyncDispose]()));
      await connection.close();
    },
  };
}

/** A terminal has one stream for all, so no marker can say how the program ended: `ssh` itself does. */
async function ttyOverSsh(
  { target, connection, clock }: Remote,
  terminal: RunOnTerminal | undefined,
  argv: readonly string[],
  options: TtyOptions | undefined,
): Promise<{ readonly exitCode: number }> {
  const { provider, id } = target;
  checkCommand(provider, argv);
  let master: Master | null = null;
  const host: TerminalHost = {
    provider,
    clock,
    terminal,
    render: async (words, { signal }) => {
      master = await connection.connect(signal);
      // A master that is gone would be told by ssh alone, which has no words of its own for it.
      if (await connection.forgetIfGone(master)) master = await connection.connect(signal);
      return { file: "ssh", args: connection.terminalArguments(renderTerminalLine(words)) };
    },
  };
  const ended = await runOnTerminal(host, argv, options);
  if (ended.exitCode === 255 && (await connection.forgetIfGone(master))) throw lostTerminal(provider, id);
  return ended;
}

async function execOverSsh(
  remote: Remote,
  argv: readonly string[],
  options: SessionExecOptions,
): Promise<SessionResult> {
  const { provider } = remote.target;
  checkCommand(provider, argv);
  const stdin = joinInput(renderSettings(provider, options), options.stdin);
  const limit = deadline(remote.clock, options.timeoutMs, options.signal);
  try {
    const call = { ...options, stdin, signal: limit.signal };
    const first = await attempt(remote, argv, call, remote.target.exec);
    if (first !== null) return first;
    const second = await attempt(remote, argv, call, remote.target.exec);
    if (second !== null) return second;
    throw cannotConnect(remote.target, "the connection was closed twice before the command began");
  } finally {
    limit.release();
  }
}

/** What was read from is used up, so what did not begin is the caller's to repeat. */
function sendingBy(remote: Remote): Pick<JobHost, "send" | "sendFile"> {
  const { target } = remote;
  const { stream, provider } = target;
  if (stream === null) return {};
  const begun = (result: SessionResult | null): SessionResult => {
    if (result === null) throw cannotConnect(target, "the connection was closed before the command began");
    return result;
  };
  return {
    send: async (argv, input, signal = new AbortController().signal) => {
      const stdin = prefixed(renderSettings(provider, {}), input);
      return begun(await attempt(remote, argv, { stdin, signal }, stream));
    },
    sendFile: async (argv, stdin, signal = new AbortController().signal) =>
      begun(await attempt(remote, argv, { stdin, signal, input: "own" }, stream)),
  };
}

async function* prefixed(settings: string, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(settings);
  yield* input;
}

interface Call<I> extends Pick<SessionExecOptions, "onStdout" | "onStderr"> {
  readonly stdin: I;
  readonly signal: AbortSignal;
  /** `settings-first` if absent. */
  readonly input?: "settings-first" | "own";
}

/** Null: nothing ran, since the shared connection was gone. A second attempt opens another. */
async function attempt<I>(
  remote: Remote,
  argv: readonly string[],
  call: Call<I>,
  exec: (file: string, args: readonly string[], options: Call<I>) => Promise<CommandResult>,
): Promise<SessionResult | null> {
  const { target, connection, clock } = remote;
  const nonce = crypto.randomUUID();
  const stderr = new StderrMarkers(nonce, call.onStderr);
  const { stdin, signal, onStdout, input = "settings-first" } = call;
  // What was not sent yet ends at once; only the command itself is waited for.
  const sending: typeof exec = async (file, args, options) => {
    const held = holdAbort(clock, signal, stderr);
    return await exec(file, args, { ...options, signal: held.signal }).finally(held.release);
  };
  let sent: Awaited<ReturnType<typeof connection.run>>;
  try {
    const options = { stdin, signal, onStdout, onStderr: (chunk: string) => stderr.add(chunk) };
    sent = await connection.run(renderLineWithMarkers(argv, nonce, input), options, sending);
  } catch (error) {
    if (stderr.pid !== null) await endRemoteCommand(remote, stderr.pid);
    throw failed(target, error, signal, stderr.pid !== null);
  }
  stderr.end();
  const { result, master } = sent;
  if (stderr.exitCode !== null) {
    // The last marker may overtake the end of the output. An ssh that was cut says 255, which a command may say too.
    const isWhole =
      result.exitCode === 255
        ? stderr.exitCode === 255 && !(await connection.forgetIfGone(master))
        : result.exitCode !== null;
    if (isWhole) return { exitCode: stderr.exitCode, stdout: result.stdout, stderr: stderr.text };
  }
  if (stderr.pid !== null) throw lost(target);
  if (await connection.forgetIfGone(master)) {
    // Else the first marker may be what was lost.
    if (!wasNotSent(stderr.preface)) throw lost(target);
    return null;
  }
  // A client that was killed says nothing, whatever it had sent.
  if (result.exitCode === null || (result.exitCode === 255 && stderr.preface === "")) throw lost(target);
  throw cannotConnect(target, stderr.preface);
}

function failed({ provider }: SshTarget, error: unknown, signal: AbortSignal, began: boolean): unknown {
  // Also without the first marker: it may have been on its way.
  const effect = began || (isCommandError(error) && error.started) ? "unknown" : "none";
  if (signal.aborted) return abortError(signal, { provider, operation: "exec", effect });
  if (isProviderError(error) || !isCommandError(error)) return error;
  const message = error.notFound ? "the program ssh is not installed" : `ssh gave no result: ${error.reason}`;
  const code = error.notFound ? "UNSUPPORTED" : "INTERNAL";
  const hint = error.outputTooLarge
    ? "Let it write to a file on the instance, and download that; or start it as a job, and follow it."
    : undefined;
  return new ProviderError(code, { message, provider, operation: "exec", effect, hint, cause: error });
}

/** The command began; how far it came is unknown. */
function lost({ provider, id }: SshTarget): ProviderError<"NETWORK"> {
  return new ProviderError("NETWORK", {
    message: `the connection to ${id} was lost while a command ran`,
    provider,
    operation: "exec",
    effect: "unknown",
    hint: "The command may still run, or may have run to its end. Look before you run it again.",
  });
}

/**
 * The end of the local client does not end what runs there. Where the connection is gone another one is opened. What cannot be
 * reached is left to the instance's end.
 */
async function endRemoteCommand({ connection, target, clock }: Remote, pid: number): Promise<void> {
  const line = `exec /bin/sh -c ${quoteWord(END_COMMAND)} sh ${pid}`;
  // Also of the wait for a connection.
  const limit = deadline(clock, END_TIMEOUT_MS);
  const options: CommandOptions = { signal: limit.signal };
  try {
    for (let attempts = 0; attempts < 2; attempts += 1) {
      const { result, master } = await connection.run(line, options, target.exec);
      if (result.exitCode === 0 || !(await connection.forgetIfGone(master))) return;
    }
  } catch {
    // The command's own error is what its caller gets.
  } finally {
    limit.release();
  }
}
