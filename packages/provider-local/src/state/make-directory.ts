import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../errors.ts";

/**
 * Makes a directory and those above it, for this user alone. Node's own recursive `mkdir` never returns where a file
 * system answers ENOENT though the parent is there, as procfs does.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch((second: unknown) => {
      // Another process was faster.
      if (systemCode(second) !== "EEXIST") throw second;
    });
  }
}
