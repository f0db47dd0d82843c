import { readlink, symlink, unlink } from "node:fs/promises";
import { identifySelf, systemProcessTable } from "./process-identity.ts";

/** A lock that this process holds. */
export interface FileLock {
  readonly path: string;
  /** To be called once, by the holder. */
  readonly release: () => Promise<void>;
}

/** Who holds a lock, in short digests of its identity. */
interface Holder {
  readonly nonce: string;
  readonly pid: number;
  readonly boot: string;
  readonly namespace: string;
  readonly start: string;
}

// Fewer than 60 characters: file systems keep such a target in the inode, so that a lock can be taken on a full disk too.
const CONTENT = /^([0-9a-f]{16})\.(\d+)\.([0-9a-f]{8})\.([0-9a-f]{8})\.([0-9a-f]{8})$/;

/**
 * Takes the lock, or answers null if a live process holds it. The lock is a symbolic link whose target is the holder's
 * identity: it appears with its whole content in one step, and no half-written or left-over draft can exist.
 *
 * The lock of a dead process is taken over: whoever removes it must hold a second lock whose name carries the dead
 * holder's nonce, and looks again under it. Nobody else may then remove that lock, so a lock that a third process took
 * meanwhile is never broken.
 */
export async function tryFileLock(path: string): Promise<FileLock | null> {
  const { pid, bootId, namespace, startTime } = await identifySelf();
  const nonce = process.getBuiltinModule("node:crypto").randomBytes(8).toString("hex");
  const content = [nonce, pid, digest(bootId), digest(namespace), digest(startTime)].join(".");
  for (;;) {
    if (await linked(content, path)) return { path, release: () => unlinkIfThere(path) };
    const holder = await readHolder(path);
    if (holder === "nobody") continue;
    // What this module has not made is nobody's to judge: it counts as held.
    if (holder === "foreign" || !(await isDead(holder)) || !(await removeDead(path, holder.nonce))) return null;
  }
}

/** Waits for the lock: `wait` sleeps between attempts, may throw, and ends the waiting by answering false (null then). */
export async function fileLock(path: string, wait: (attempt: number) => Promise<boolean>): Promise<FileLock | null> {
  for (let attempt = 0; ; attempt++) {
    const lock = await tryFileLock(path);
    if (lock !== null) return lock;
    if (!(await wait(attempt))) return null;
  }
}

/** Is the lock held by a process that is not known to be dead? It changes nothing. */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  return holder !== "nobody" && (holder === "foreign" || !(await isDead(holder)));
}

async function isDead({ pid, boot, namespace, start }: Holder): Promise<boolean> {
  const table = systemProcessTable();
  if (boot !== digest(await table.bootId())) return true;
  // Its process id is from a set that cannot be seen from here.
  if (namespace !== digest(table.namespace())) return false;
  const startTime = await table.startTime(pid);
  return startTime === null || start !== digest(startTime);
}

function digest(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex").slice(0, 8);
}

async function removeDead(path: string, nonce: string): Promise<boolean> {
  const guard = await tryFileLock(`${path}.${nonce}`);
  if (guard === null) return false;
  try {
    const holder = await readHolder(path);
    if (typeof holder === "object" && holder.nonce === nonce) await unlinkIfThere(path);
    return true;
  } finally {
    await guard.release();
  }
}

async function linked(content: string, path: string): Promise<boolean> {
  try {
    await symlink(content, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | "nobody" | "foreign"> {
  let content: string;
  try {
    content = await readlink(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "nobody";
    // Not a symbolic link.
    if (hasCode(error, "EINVAL")) return "foreign";
    throw error;
  }
  const [, nonce, pid, boot, namespace, start] = CONTENT.exec(content) ?? [];
  if (nonce === undefined || boot === undefined || namespace === undefined || start === undefined) return "foreign";
  return { nonce, pid: Number(pid), boot, namespace, start };
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT")) throw error;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
