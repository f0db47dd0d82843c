import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Writes a file so that it is there, whole, after a loss of power: a reader sees the old content or the new one. Written
 * beside it, flushed, renamed, and the directory flushed.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.draft-${crypto.randomUUID()}`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  await flushDirectory(dirname(path));
}

/** Makes what was renamed or made in a directory survive a loss of power. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
