import {
  type Clock,
  canOpenTerminal,
  deadline,
  type ExecMethods,
  type ExecOptions,
  isProviderError,
  type Provider,
  systemClock,
  type TerminalMethods,
} from "@slipway/core";
import { checkCommand, readingSettings, renderSettings, sayingItsId } from "./command-line.ts";
import { download } from "./copy.ts";
import { END_COMMAND, END_TIMEOUT_MS } from "./end-command.ts";
import { holdAbort } from "./held-abort.ts";
import { attachJob, startJob } from "./job.ts";
import type {
  ForwardMethod,
  NativeSession,
  RunOnTerminal,
  SessionExecOptions,
  SessionMethods,
  SessionResult,
  TtyMethod,
} from "./session.ts";
import { StderrMarkers } from "./stderr-markers.ts";
import { runOnTerminal, type TerminalHost } from "./terminal.ts";
import { upload } from "./upload.ts";

/** A provider that forwards ports itself, as that of Kubernetes does. */
export interface PortForwardMethods {
  readonly portForward: (id: string, port: number, options?: Parameters<ForwardMethod>[1]) => ReturnType<ForwardMethod>;
}

/** A session over the provider's own exec. */
export function openNativeSession(
  provider: Provider & ExecMethods,
  id: string,
  { clock = systemClock, terminal }: { readonly clock?: Clock | undefined; readonly terminal?: RunOnTerminal } = {},
): NativeSession {
  const exec: SessionMethods["exec"] = (argv, options) => execNatively({ provider, id, clock }, argv, options ?? {});
  const host = { provider: provider.name, instanceId: id, clock, exec };
  return {
    via: "native",
    exec,
    start: (argv, options) => startJob(host, argv, options),
    job: (jobId) => attachJob(host, jobId),
    upload: (from, to, options) => upload(host, from, to, options),
    download: (from, to, options) => download(host, from, to, options),
    ...(canOpenTerminal(provider) ? { tty: ttyOf(provider, id, clock, terminal) } : {}),
    ...(canForward(provider) ? { forward: (port, options) => provider.portForward(id, port, options) } : {}),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function ttyOf(
  provider: Provider & TerminalMethods,
  instanceId: string,
  clock: Clock,
  terminal: RunOnTerminal | undefined,
): TtyMethod {
  const { name } = provider;
  const render: TerminalHost["render"] = (argv, call) => provider.terminalCommand(instanceId, argv, call);
  return async (argv, options) => {
    checkCommand(name, argv);
    return await runOnTerminal({ provider: name, clock, terminal, render }, argv, options);
  };
}

function canForward<P extends object>(provider: P): provider is P & PortForwardMethods {
  return "portForward" in provider && typeof provider.portForward === "function";
}

interface Inside {
  readonly provider: Provider & ExecMethods;
  readonly id: string;
  readonly clock: Clock;
}

async function execNatively(
  inside: Inside,
  argv: readonly string[],
  options: SessionExecOptions,
): Promise<SessionResult> {
  const { provider } = inside;
  const { cwd, environment, stdin, ...call } = options;
  checkCommand(provider.name, argv);
  const settings = renderSettings(provider.name, { cwd, environment });
  if (typeof stdin !== "object") {
    if (cwd === undefined && environment === undefined) return await run(inside, argv, { ...call, stdin });
    return await run(inside, readingSettings(argv), { ...call, stdin: `${settings}${stdin ?? ""}` });
  }
  // A provider's exec takes text alone, so bytes travel as base64.
  const decoding = ["/bin/sh", "-c", 'base64 -d | "$@"', "sh", ...argv];
  const encoded = `${settings}${Buffer.from(stdin).toString("base64")}\n`;
  return await run(inside, readingSettings(decoding), { ...call, stdin: encoded });
}

/**
 * Not every remote ends a command with its client: OrbStack's and Apple's go on. So a command that may be aborted says its
 * process id first, and a second one ends it.
 */
async function run(
  { provider, id, clock }: Inside,
  argv: readonly string[],
  options: ExecOptions,
): Promise<SessionResult> {
  const { signal, timeoutMs, ...call } = options;
  if (signal === undefined && timeoutMs === undefined) return await provider.exec(id, argv, options);
  const nonce = crypto.randomUUID();
  const stderr = new StderrMarkers(nonce, options.onStderr);
  const streamed: string[] = [];
  const onStderr = (chunk: string): void => {
    streamed.push(chunk);
    stderr.add(chunk);
  };
  const limit = deadline(clock, timeoutMs, signal);
  const held = holdAbort(clock, limit.signal, stderr);
  try {
    const result = await provider.exec(id, sayingItsId(argv, nonce), { ...call, signal: held.signal, onStderr });
    // A provider that streams nothing returns it all the same.
    if (streamed.length === 0) stderr.add(result.stderr);
    stderr.end();
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: `${stderr.preface}${stderr.text}` };
  } catch (error) {
    // Where the connection was lost nobody wanted an end: a start of a job is asked for again.
    const isLost = isProviderError(error) && error.retryable && !limit.signal.aborted;
    if (stderr.pid !== null && !isLost) await endCommand(provider, id, stderr.pid);
    throw error;
  } finally {
    held.release();
    limit.release();
  }
}

/** What cannot be reached is left to the instance's end. */
async function endCommand(provider: Provider & ExecMethods, id: string, pid: number): Promise<void> {
  const argv = ["/bin/sh", "-c", END_COMMAND, "sh", String(pid)];
  await provider.exec(id, argv, { timeoutMs: END_TIMEOUT_MS }).catch(() => undefined);
}
