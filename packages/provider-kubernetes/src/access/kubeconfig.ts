import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { ErrorCode, ProviderError } from "@slipway/core";
import * as z from "zod/mini";

/** A program that prints a credential, as the clouds' kubeconfigs name one. */
export interface ExecPlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly provideClusterInfo: boolean;
  readonly installHint: string | undefined;
}

/** Where a token comes from; a file is read again, since the cluster replaces what is in it. */
export type TokenSource =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "exec"; readonly plugin: ExecPlugin };

export interface ClusterTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly insecure: boolean;
}

/** One context of a kubeconfig: which cluster, as whom, in which namespace. */
export interface ClusterAccess {
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  readonly tls: ClusterTls;
  readonly source: TokenSource;
}

const text = z.nullish(z.string());
const clusterSchema = z.object({
  server: z.string(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.nullish(z.boolean()),
  "tls-server-name": text,
  "proxy-url": text,
});
const userSchema = z.object({
  token: text,
  tokenFile: text,
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  "auth-provider": z.optional(z.unknown()),
  username: text,
  exec: z.nullish(
    z.object({
      command: z.string(),
      args: z.nullish(z.array(z.string())),
      env: z.nullish(z.array(z.object({ name: z.string(), value: z.string() }))),
      apiVersion: text,
      provideClusterInfo: z.nullish(z.boolean()),
      installHint: text,
    }),
  ),
});
const contextSchema = z.object({ cluster: z.string(), user: text, namespace: text });
const entries = z.nullish(z.array(z.looseObject({ name: z.string() })));
const fileSchema = z.object({ "current-context": text, clusters: entries, users: entries, contexts: entries });

interface Entry {
  readonly value: unknown;
  /** Relative paths in the entry begin here. */
  readonly directory: string;
}

interface Merged {
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly paths: readonly string[];
}

/** The context of a pod's own account. */
const IN_CLUSTER = "in-cluster";
const ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface WantedAccess {
  /** By which environment variable a user names the kubeconfig; KUBECONFIG if absent. */
  readonly variable?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Makes the error of a call whose cluster cannot be reached as it is described. */
export type AccessRefusal = (
  code: ErrorCode,
  message: string,
  details?: { readonly hint?: string; readonly cause?: unknown },
) => ProviderError;

/** Reads the kubeconfig and what it names. AUTH_ERROR or INVALID_SPEC with one line that says what is missing. */
export async function accessFrom(wanted: WantedAccess, refuse: AccessRefusal): Promise<ClusterAccess> {
  const usual = join(homedir(), ".kube", "config");
  const paths = (wanted.kubeconfig ?? usual).split(delimiter).filter((path) => path !== "");
  const files = await Promise.all(paths.map(async (path) => ({ path: resolve(path), text: await textOf(path) })));
  const there = files.filter((file): file is { path: string; text: string } => file.text !== null);
  if (there.length === 0) {
    // Who names a context means a cluster of a file: a pod's own cluster is not taken for another one.
    const isAny = (wanted.context ?? IN_CLUSTER) === IN_CLUSTER;
    const account = wanted.kubeconfig === undefined && isAny ? await accountOfPod(wanted) : null;
    if (account !== null) return account;
    throw refuse("AUTH_ERROR", `there is no kubeconfig at ${paths.join(" or ")}`, {
      hint: `Set ${wanted.variable ?? "KUBECONFIG"}, or give kubeconfig in the config.`,
    });
  }
  return await chosen(await merged(there, refuse), wanted, refuse);
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}

/** Inside a pod: its own service account. */
async function accountOfPod({ namespace }: WantedAccess): Promise<ClusterAccess | null> {
  const path = join(ACCOUNT_DIRECTORY, "token");
  if ((await textOf(path)) === null) return null;
  const ca = (await textOf(join(ACCOUNT_DIRECTORY, "ca.crt"))) ?? undefined;
  const own = await textOf(join(ACCOUNT_DIRECTORY, "namespace"));
  return {
    context: IN_CLUSTER,
    server: serverOfPod(process.env),
    namespace: namespace ?? own ?? "default",
    tls: { ca, cert: undefined, key: undefined, servername: undefined, insecure: false },
    source: { kind: "file", path },
  };
}

/** As the kubelet tells each container, since not every pod asks the cluster's name server. */
function serverOfPod({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: NodeJS.ProcessEnv): string {
  if (!host || !port) return "https://kubernetes.default.svc/";
  return `https://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

/** Of several files the first one that names a thing counts, as in kubectl. */
async function merged(
  files: readonly { readonly path: string; readonly text: string }[],
  refuse: AccessRefusal,
): Promise<Merged> {
  const { parse } = await import("yaml");
  const [clusters, users, contexts] = [new Map(), new Map(), new Map()] as Map<string, Entry>[];
  let currentContext: string | undefined;
  for (const { path, text: content } of files) {
    const parsed = fileSchema.safeParse(parsedYaml(parse, content));
    if (!parsed.success) throw refuse("INVALID_SPEC", `${path} is not a kubeconfig`);
    currentContext ??= parsed.data["current-context"] || undefined;
    const lists = [
      [clusters, parsed.data.clusters, "cluster"],
      [users, parsed.data.users, "user"],
      [contexts, parsed.data.contexts, "context"],
    ] as const;
    for (const [map, list, key] of lists) {
      for (const item of list ?? []) {
        if (map?.has(item.name) === false)
          map.set(item.name, { value: Reflect.get(item, key), directory: dirname(path) });
      }
    }
  }
  const none: ReadonlyMap<string, Entry> = new Map();
  const paths = files.map(({ path }) => path);
  return { currentContext, clusters: clusters ?? none, users: users ?? none, contexts: contexts ?? none, paths };
}

function parsedYaml(parse: (content: string) => unknown, content: string): unknown {
  try {
    return parse(content);
  } catch {
    // Its message would show a line of the file, which may hold a token.
    return null;
  }
}

async function chosen(all: Merged, wanted: WantedAccess, refuse: AccessRefusal): Promise<ClusterAccess> {
  const where = all.paths.join(", ");
  const context = wanted.context ?? all.currentContext;
  if (context === undefined) {
    throw refuse("INVALID_SPEC", `${where} has no current context`, {
      hint: `Give context in the config. Contexts: ${[...all.contexts.keys()].join(", ") || "none"}.`,
    });
  }
  const entry = all.contexts.get(context);
  const found = contextSchema.safeParse(entry?.value);
  if (!found.success) {
    throw refuse("INVALID_SPEC", `${where} has no context ${JSON.stringify(context)}`, {
      hint: `Contexts: ${[...all.contexts.keys()].join(", ") || "none"}.`,
    });
  }
  const { cluster: clusterName, user: userName, namespace } = found.data;
  const clusterEntry = all.clusters.get(clusterName);
  const cluster = clusterSchema.safeParse(clusterEntry?.value);
  if (!cluster.success) {
    throw refuse("INVALID_SPEC", `${where} describes no cluster ${JSON.stringify(clusterName)}`);
  }
  const userEntry = all.users.get(userName ?? "");
  const user = userSchema.safeParse(userEntry?.value ?? {});
  if (!user.success || (userName && userEntry === undefined)) {
    throw refuse("INVALID_SPEC", `${where} describes no user ${JSON.stringify(userName)}`);
  }
  refuseUnsupported(cluster.data, user.data, refuse);
  const file = (path: string, directory: string) => required(resolve(directory, path), refuse);
  const [inCluster, inUser] = [clusterEntry?.directory ?? ".", userEntry?.directory ?? "."];
  const part = async (data: string | null | undefined, path: string | null | undefined, directory: string) =>
    data ? Buffer.from(data, "base64").toString("utf8") : path ? await file(path, directory) : undefined;
  return {
    context,
    server: cluster.data.server,
    namespace: wanted.namespace ?? (namespace || "default"),
    tls: {
      ca: await part(cluster.data["certificate-authority-data"], cluster.data["certificate-authority"], inCluster),
      cert: await part(user.data["client-certificate-data"], user.data["client-certificate"], inUser),
      key: await part(user.data["client-key-data"], user.data["client-key"], inUser),
      servername: cluster.data["tls-server-name"] ?? undefined,
      insecure: cluster.data["insecure-skip-tls-verify"] === true,
    },
    source: sourceOf(user.data, inUser),
  };
}

function refuseUnsupported(
  cluster: z.infer<typeof clusterSchema>,
  user: z.infer<typeof userSchema>,
  refuse: AccessRefusal,
): void {
  const unsupported = (what: string, hint: string): Error =>
    refuse("UNSUPPORTED", `${what} of a kubeconfig is not supported`, { hint });
  if (cluster["proxy-url"]) throw unsupported("proxy-url", "Reach the API server without a proxy, as through a VPN.");
  if (user["auth-provider"])
    throw unsupported("auth-provider", "Write the kubeconfig anew: clouds use exec plugins now.");
  if (user.username) throw unsupported("a password", "Use a token, a client certificate or an exec plugin.");
}

function sourceOf(user: z.infer<typeof userSchema>, directory: string): TokenSource {
  if (user.tokenFile) return { kind: "file", path: resolve(directory, user.tokenFile) };
  if (user.token) return { kind: "token", token: user.token };
  if (!user.exec) return { kind: "none" };
  const { command, args, env, apiVersion, provideClusterInfo, installHint } = user.exec;
  const plugin: ExecPlugin = {
    // A command with a slash is relative to the file that names it, any other is looked for in PATH.
    command: command.includes("/") ? resolve(directory, command) : command,
    args: args ?? [],
    env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    apiVersion: apiVersion ?? "client.authentication.k8s.io/v1",
    provideClusterInfo: provideClusterInfo === true,
    installHint: installHint ?? undefined,
  };
  return { kind: "exec", plugin };
}

async function required(path: string, refuse: AccessRefusal): Promise<string> {
  const content = await textOf(path);
  if (content !== null) return content;
  throw refuse("AUTH_ERROR", `the kubeconfig names ${path}, which cannot be read`);
}
