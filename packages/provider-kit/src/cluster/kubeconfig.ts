import { chmod, mkdir, open, readFile, readlink, realpath, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import type * as Yaml from "yaml";
import { fileLock } from "../sandbox/file-lock.ts";

export interface KubeconfigEntry {
  /** The entries are called `slipway-<cluster>`. */
  readonly clusterName: string;
  /** Whose cluster it is: written down, so that another owner's of the same name is neither replaced nor removed. */
  readonly owner: string;
  /** The cluster's own `admin.conf`. A secret. */
  readonly admin: string;
  /** What stands as the server instead of the node's own name for it. */
  readonly endpoint: string;
  readonly currentContext: boolean;
}

const SECTIONS = ["clusters", "users", "contexts"] as const;
/** Programs that do not know an extension keep it as it is. */
const EXTENSION = "slipway";
const PATIENCE_MS = 15_000;
const POLL_MS = 50;
/** What kubectl's lock holds where it is ours: one that is left over was left by a process that is dead. */
const OURS = "slipway";

/** A kubeconfig that cannot be read, written or locked, or has another's entries. The file is as it was. */
export class KubeconfigError extends Error {
  override readonly name: string = "KubeconfigError";
}

let loaded: typeof Yaml | undefined;

/** Its 72 files are loaded when a kubeconfig is first read or written: most programs make no cluster. */
function yaml(): typeof Yaml {
  // Typed, because what `require` returns has no type.
  const fresh = (): typeof Yaml => process.getBuiltinModule("node:module").createRequire(import.meta.url)("yaml");
  loaded ??= fresh();
  return loaded;
}

export function contextName(clusterName: string): string {
  return `slipway-${clusterName}`;
}

/**
 * Puts a cluster's entries into a kubeconfig, and replaces what an earlier one of the name left there. Everything else in
 * the file stays as it is, comments too; what it was before lies in `<path>.slipway-backup`.
 */
export async function mergeKubeconfig(path: string, entry: KubeconfigEntry): Promise<void> {
  const entries = entriesOf(entry);
  await change(path, (document) => {
    const name = contextName(entry.clusterName);
    refuseAnothers(document, path, entry);
    removeNamed(document, name);
    if (!document.has("apiVersion")) document.set("apiVersion", "v1");
    if (!document.has("kind")) document.set("kind", "Config");
    for (const section of SECTIONS) {
      const added = document.createNode(entries[section]);
      const there = document.get(section);
      // `clusters: []` would put ours on its line too.
      if (yaml().isSeq(there) && there.items.length > 0) there.items.push(added);
      else document.set(section, document.createNode([entries[section]]));
    }
    if (entry.currentContext) document.set("current-context", name);
  });
}

/** Throws what `mergeKubeconfig` would throw for this file as it is now, before there is a cluster. */
export async function checkKubeconfig(
  path: string,
  entry: Pick<KubeconfigEntry, "clusterName" | "owner">,
): Promise<void> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return null;
    throw new KubeconfigError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  refuseAnothers(parsedOf(text, path), path, entry);
}

/** Takes a cluster's entries out again, but for another owner's. Resolves where there are none, or no file. */
export async function removeFromKubeconfig(
  path: string,
  { clusterName, owner }: Pick<KubeconfigEntry, "clusterName" | "owner">,
): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there === null) return;
  await change(path, (document) => {
    const name = contextName(clusterName);
    if ((ownerIn(document, name) ?? owner) !== owner) return;
    removeNamed(document, name);
    if (document.get("current-context") === name) document.set("current-context", "");
  });
}

/** A file of its own for one cluster, as text. A secret. */
export function kubeconfigText(entry: KubeconfigEntry): string {
  const { clusters, users, contexts } = entriesOf(entry);
  const name = contextName(entry.clusterName);
  const whole = { apiVersion: "v1", kind: "Config", clusters: [clusters], users: [users], contexts: [contexts] };
  return yaml()
    .parseDocument(JSON.stringify({ ...whole, "current-context": name }))
    .toString({
      flowCollectionPadding: false,
    });
}

function refuseAnothers(
  document: Yaml.Document,
  path: string,
  { clusterName, owner }: Pick<KubeconfigEntry, "clusterName" | "owner">,
): void {
  const name = contextName(clusterName);
  const other = ownerIn(document, name);
  if (other === null || other === owner) return;
  throw new KubeconfigError(`${path} has the context ${name} of another owner, ${other}: name another file, or none`);
}

/** Who wrote the entries of this name; null where nobody did, or did not say. */
function ownerIn(document: Yaml.Document, name: string): string | null {
  const there = document.get("clusters");
  const found = yaml().isSeq(there)
    ? there.items.find((item) => yaml().isMap(item) && item.get("name") === name)
    : undefined;
  const extensions = yaml().isMap(found) ? found.getIn(["cluster", "extensions"]) : undefined;
  const own = yaml().isSeq(extensions)
    ? extensions.items.find((item) => yaml().isMap(item) && item.get("name") === EXTENSION)
    : undefined;
  const owner = yaml().isMap(own) ? own.getIn(["extension", "owner"]) : undefined;
  return typeof owner === "string" ? owner : null;
}

function entriesOf({
  clusterName,
  owner,
  admin,
  endpoint,
}: KubeconfigEntry): Readonly<Record<(typeof SECTIONS)[number], object>> {
  const name = contextName(clusterName);
  const document = yaml().parseDocument(admin);
  const cluster = document.getIn(["clusters", 0, "cluster"]);
  const user = document.getIn(["users", 0, "user"]);
  if (document.errors.length > 0 || !yaml().isMap(cluster) || !yaml().isMap(user)) {
    throw new KubeconfigError("the cluster's admin.conf names no cluster or no user");
  }
  return {
    clusters: {
      name,
      cluster: {
        ...asObject(cluster.toJSON()),
        server: endpoint,
        extensions: [{ name: EXTENSION, extension: { owner } }],
      },
    },
    users: { name, user: asObject(user.toJSON()) },
    contexts: { name, context: { cluster: name, user: name } },
  };
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function removeNamed(document: Yaml.Document, name: string): void {
  for (const section of SECTIONS) {
    const there = document.get(section);
    if (!yaml().isSeq(there)) continue;
    there.items = there.items.filter((item) => !yaml().isMap(item) || item.get("name") !== name);
  }
}

function parsedOf(text: string | null, path: string): Yaml.Document {
  const parsed = yaml().parseDocument(text ?? "");
  if (parsed.errors.length > 0 || (parsed.contents !== null && !yaml().isMap(parsed.contents))) {
    throw new KubeconfigError(`${path} is no kubeconfig that can be read: it is left as it is`);
  }
  return parsed.contents === null ? new (yaml().Document)({}) : parsed;
}

async function change(given: string, edit: (document: Yaml.Document) => void): Promise<void> {
  await mkdir(dirname(given), { recursive: true, mode: 0o700 });
  // A link stays a link.
  const path = await realpath(given).catch(() => given);
  await locked(path, async () => {
    const before = await readFile(path, "utf8").catch((error: unknown) => {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    });
    const document = parsedOf(before, given);
    edit(document);
    const after = document.toString();
    if (after === before) return;
    const mode = before === null ? 0o600 : (await stat(path)).mode & 0o777;
    if (before !== null) await replace(`${path}.slipway-backup`, before, 0o600);
    await replace(path, after, mode);
  });
}

/**
 * Ours keeps our own processes apart and is taken over from a dead one; the second is the one that kubectl takes, so that
 * neither writes over the other.
 */
async function locked(path: string, work: () => Promise<void>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  const wait = async (): Promise<boolean> => {
    // Other processes' time is the machine's own.
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    return performance.now() < end;
  };
  const own = await fileLock(`${path}.slipway-lock`, wait);
  const busy = (lock: string): KubeconfigError =>
    new KubeconfigError(`${path} is locked by another process: if there is none, remove ${lock}`);
  if (own === null) throw busy(`${path}.slipway-lock`);
  const theirs = `${path}.lock`;
  try {
    while (!(await takeKubectlLock(theirs))) if (!(await wait())) throw busy(theirs);
    try {
      await work();
    } finally {
      await rm(theirs, { force: true });
    }
  } finally {
    await own.release();
  }
}

/** The lock is a link: it appears with its whole content in one step, and kubectl takes it for held like a file. */
async function takeKubectlLock(path: string): Promise<boolean> {
  try {
    await symlink(OURS, path);
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  const left = await readlink(path).catch(() => "");
  // Our own lock is held: who made this is dead.
  if (left === OURS) await rm(path, { force: true });
  return false;
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(draft, mode);
  await rename(draft, path);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
