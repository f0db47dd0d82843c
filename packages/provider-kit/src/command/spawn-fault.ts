import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { CommandFault } from "./command-error.ts";

/** What a start that failed was about, and the sentence for it. */
export interface SpawnFault {
  readonly fault: CommandFault;
  readonly reason: string;
}

/**
 * The system says ENOENT for a missing program, a missing interpreter and a missing directory alike: this looks which it
 * was. It looks afterwards, so that a command that starts pays nothing for it.
 */
export async function spawnFault(
  systemCode: string | undefined,
  file: string,
  cwd: string | undefined,
  environment: Readonly<Record<string, string>>,
): Promise<SpawnFault> {
  const directory = cwd === undefined ? null : await directoryFault(cwd);
  if (directory !== null) return { fault: "badWorkingDirectory", reason: directory };
  const isThere = await isFileThere(file, cwd, environment["PATH"]);
  if (systemCode === "ENOENT") {
    return isThere
      ? { fault: "notExecutable", reason: "the program is there, but not the interpreter that its first line names" }
      : { fault: "notFound", reason: "there is no such program" };
  }
  if (systemCode === "EACCES" || systemCode === "EPERM" || systemCode === "ENOEXEC") {
    return { fault: "notExecutable", reason: `the program cannot be executed (${systemCode})` };
  }
  return { fault: "notStarted", reason: `it could not be started (${systemCode ?? "no reason given"})` };
}

async function directoryFault(cwd: string): Promise<string | null> {
  try {
    if (!(await stat(cwd)).isDirectory()) return `the working directory ${cwd} is not a directory`;
    await access(cwd, constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EACCES"
      ? `the working directory ${cwd} may not be entered`
      : `the working directory ${cwd} does not exist`;
  }
}

async function isFileThere(file: string, cwd: string | undefined, path: string | undefined): Promise<boolean> {
  const places = /[\\/]/.test(file)
    ? [resolve(cwd ?? ".", file)]
    : (path ?? "").split(delimiter).map((directory) => join(directory, file));
  for (const place of places) {
    if (
      await stat(place).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return true;
  }
  return false;
}
