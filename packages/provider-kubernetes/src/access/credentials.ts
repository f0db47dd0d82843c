import { readFile } from "node:fs/promises";
import type { Clock, Exec } from "@slipway/core";
import * as z from "zod/mini";
import type { AccessRefusal, ClusterAccess, ExecPlugin } from "./kubeconfig.ts";

/** What stands in a request: a token, or a client certificate that a plugin has made. */
export interface Credential {
  readonly token: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface Credentials {
  /** The newest one. `isRefused`: the server has just refused the last one, so that a plugin is asked again. */
  readonly current: (refuse: AccessRefusal, isRefused?: boolean) => Promise<Credential>;
  /** Could asking again give another one? */
  readonly mayChange: boolean;
}

const FILE_LASTS_MS = 60_000;
const PLUGIN_TIMEOUT_MS = 60_000;
// A token that ends while the request is on its way would be refused.
const EXPIRY_MARGIN_MS = 30_000;

const execCredential = z.object({
  status: z.object({
    token: z.nullish(z.string()),
    clientCertificateData: z.nullish(z.string()),
    clientKeyData: z.nullish(z.string()),
    expirationTimestamp: z.nullish(z.string()),
  }),
});

/** The credential of one context: a file is read again every minute, and a plugin runs again before its token ends. */
export function credentialsOf(
  access: ClusterAccess,
  at: { readonly clock: Clock; readonly exec?: Exec | undefined },
): Credentials {
  const { source } = access;
  if (source.kind === "none") return { mayChange: false, current: async () => ({ token: undefined }) };
  if (source.kind === "token") return { mayChange: false, current: async () => ({ token: source.token }) };
  let kept: { readonly credential: Credential; readonly until: number } | undefined;
  let asking: Promise<NonNullable<typeof kept>> | undefined;
  const ask = async (refuse: AccessRefusal): Promise<NonNullable<typeof kept>> => {
    if (source.kind === "exec") return await fromPlugin(source.plugin, access, at, refuse);
    const token = (await fileText(source.path, refuse)).trim();
    return { credential: { token }, until: at.clock.now() + FILE_LASTS_MS };
  };
  return {
    mayChange: true,
    current: async (refuse, isRefused = false) => {
      if (kept !== undefined && !isRefused && at.clock.now() < kept.until) return kept.credential;
      // Callers at once ask once.
      asking ??= ask(refuse).finally(() => {
        asking = undefined;
      });
      kept = await asking;
      return kept.credential;
    },
  };
}

async function fileText(path: string, refuse: AccessRefusal): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw refuse("AUTH_ERROR", `the token file ${path} cannot be read`, { cause });
  }
}

async function fromPlugin(
  plugin: ExecPlugin,
  { server, tls }: ClusterAccess,
  { clock, exec }: { readonly clock: Clock; readonly exec?: Exec | undefined },
  refuse: AccessRefusal,
) {
  const cluster = {
    server,
    ...(tls.ca === undefined ? {} : { "certificate-authority-data": Buffer.from(tls.ca).toString("base64") }),
    ...(tls.insecure ? { "insecure-skip-tls-verify": true } : {}),
    ...(tls.servername === undefined ? {} : { "tls-server-name": tls.servername }),
  };
  const info = {
    apiVersion: plugin.apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  };
  const run = exec ?? (await pluginRunner(clock));
  const env = { ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const failed = (cause?: unknown): Error =>
    refuse("AUTH_ERROR", `the kubeconfig's exec plugin ${plugin.command} gave no credential`, {
      hint: plugin.installHint ?? "Run the command by hand: it has to print an ExecCredential.",
      cause,
    });
  const result = await run(plugin.command, plugin.args, { env, timeoutMs: PLUGIN_TIMEOUT_MS }).catch(
    (error: unknown) => {
      // Not the error itself: it holds what the plugin has printed, which may be a token, and its arguments.
      throw failed(new Error(reasonOf(error)));
    },
  );
  const parsed = execCredential.safeParse(jsonOf(result.stdout));
  if (result.exitCode !== 0 || !parsed.success) throw failed();
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.data.status;
  const credential = {
    token: token ?? undefined,
    cert: clientCertificateData ?? undefined,
    key: clientKeyData ?? undefined,
  };
  const ends = Date.parse(expirationTimestamp ?? "");
  return { credential, until: Number.isNaN(ends) ? Number.POSITIVE_INFINITY : ends - EXPIRY_MARGIN_MS };
}

/** A plugin is the user's own program: it gets the user's whole environment, as kubectl gives it. */
async function pluginRunner(clock: Clock): Promise<Exec> {
  const { commandRunner } = await import("@slipway/provider-kit/command");
  return commandRunner({ clock, inherit: Object.keys(process.env) });
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error && "reason" in error ? error.reason : undefined;
  return typeof reason === "string" ? reason : "it could not be run";
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
