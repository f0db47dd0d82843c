import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./file-faults.ts";

/** Writes a new file, for this user alone, that survives a power failure once its name does. */
export async function writeNewFile(path: string, content: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file in one step: a reader and a crash see the old content or the new, never a part. */
export async function replaceFile(path: string, content: string, draft: string): Promise<void> {
  try {
    await writeNewFile(draft, content);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Makes the names in a directory survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory, and keeps names in its journal anyway.
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a directory for this user alone, and its parents; one that is there stays as it is. */
export async function makeDirectory(path: string): Promise<void> {
  // Not `recursive`: on a read-only file system that fails with a code that says nothing.
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (errnoOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    // Once: where no directory can be made at all, as in /proc, this says ENOENT for ever.
    await mkdir(path, { mode: 0o700 }).catch(async (second: unknown) => {
      if (errnoOf(second) !== "EEXIST" || !(await stat(path)).isDirectory()) throw second;
    });
  }
  await syncDirectory(dirname(path)).catch((error: unknown) => {
    // A parent that may be passed through but not read cannot be synchronised by this user.
    if (errnoOf(error) !== "EACCES") throw error;
  });
}
