import { type Clock, type ExecMethods, type ExecOptions, type Provider, systemClock } from "@slipway/core";
import { checkCommand, readingSettings, renderSettings, sayingItsId } from "./command-line.ts";
import { download } from "./copy.ts";
import { END_COMMAND, END_TIMEOUT_MS } from "./end-command.ts";
import { attachJob, startJob } from "./job.ts";
import type { Session, SessionExecOptions, SessionResult } from "./session.ts";
import { StderrMarkers } from "./stderr-markers.ts";
import { upload } from "./upload.ts";

/** A session over the provider's own exec. */
export function openNativeSession(provider: Provider & ExecMethods, id: string, clock: Clock = systemClock): Session {
  const exec: Session["exec"] = (argv, options) => execNatively(provider, id, argv, options ?? {});
  const host = { provider: provider.name, instanceId: id, clock, exec };
  return {
    via: "native",
    exec,
    start: (argv, options) => startJob(host, argv, options),
    job: (jobId) => attachJob(host, jobId),
    upload: (from, to, options) => upload(host, from, to, options),
    download: (from, to, options) => download(host, from, to, options),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function execNatively(
  provider: Provider & ExecMethods,
  id: string,
  argv: readonly string[],
  options: SessionExecOptions,
): Promise<SessionResult> {
  const { cwd, environment, stdin, ...call } = options;
  checkCommand(provider.name, argv);
  const settings = renderSettings(provider.name, { cwd, environment });
  if (typeof stdin !== "object") {
    if (cwd === undefined && environment === undefined) return await run(provider, id, argv, { ...call, stdin });
    return await run(provider, id, readingSettings(argv), { ...call, stdin: `${settings}${stdin ?? ""}` });
  }
  // A provider's exec takes text alone, so bytes travel as base64.
  const decoding = ["/bin/sh", "-c", 'base64 -d | "$@"', "sh", ...argv];
  const encoded = `${settings}${Buffer.from(stdin).toString("base64")}\n`;
  return await run(provider, id, readingSettings(decoding), { ...call, stdin: encoded });
}

/**
 * Not every remote ends a command with its client: OrbStack's and Apple's go on. So a command that may be aborted says its
 * process id first, and a second one ends it.
 */
async function run(
  provider: Provider & ExecMethods,
  id: string,
  argv: readonly string[],
  options: ExecOptions,
): Promise<SessionResult> {
  const { signal, timeoutMs } = options;
  if (signal === undefined && timeoutMs === undefined) return await provider.exec(id, argv, options);
  const nonce = crypto.randomUUID();
  const stderr = new StderrMarkers(nonce, options.onStderr);
  const streamed: string[] = [];
  const onStderr = (chunk: string): void => {
    streamed.push(chunk);
    stderr.add(chunk);
  };
  try {
    const result = await provider.exec(id, sayingItsId(argv, nonce), { ...options, onStderr });
    // A provider that streams nothing returns it all the same.
    if (streamed.length === 0) stderr.add(result.stderr);
    stderr.end();
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: `${stderr.preface}${stderr.text}` };
  } catch (error) {
    if (stderr.pid !== null) await endCommand(provider, id, stderr.pid);
    throw error;
  }
}

/** What cannot be reached is left to the instance's end. */
async function endCommand(provider: Provider & ExecMethods, id: string, pid: number): Promise<void> {
  const argv = ["/bin/sh", "-c", END_COMMAND, "sh", String(pid)];
  await provider.exec(id, argv, { timeoutMs: END_TIMEOUT_MS }).catch(() => undefined);
}
