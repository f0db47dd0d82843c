import { link, open, rm } from "node:fs/promises";
import { isSystemError } from "./system-error.ts";

/**
 * Makes a file that appears with its whole content or not at all, and survives a power failure. Answers false, and
 * changes nothing, where there is one.
 */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex")}.draft`;
  try {
    await writeDurably(draft, text);
    await link(draft, path);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
