import { type Clock, type ExecMethods, type Provider, systemClock } from "@slipway/core";
import { checkCommand, readingSettings, renderSettings } from "./command-line.ts";
import { download, upload } from "./copy.ts";
import { attachJob, startJob } from "./job.ts";
import type { Session, SessionExecOptions, SessionResult } from "./session.ts";

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
    if (cwd === undefined && environment === undefined) return await provider.exec(id, argv, { ...call, stdin });
    return await provider.exec(id, readingSettings(argv), { ...call, stdin: `${settings}${stdin ?? ""}` });
  }
  // A provider's exec takes text alone, so bytes travel as base64.
  const decoding = ["/bin/sh", "-c", 'base64 -d | "$@"', "sh", ...argv];
  const encoded = `${settings}${Buffer.from(stdin).toString("base64")}\n`;
  return await provider.exec(id, readingSettings(decoding), { ...call, stdin: encoded });
}
