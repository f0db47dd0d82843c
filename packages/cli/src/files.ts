import { constants } from "node:fs";
import { access, link, open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CliError, isSystemError } from "./cli-error.ts";
import type { World } from "./world.ts";

// More than any remote takes as user data; a wrong path to a disk image must not fill the memory.
const MOST_BYTES = 16 * 2 ** 20;

/** The UTF-8 text of a file that the user named, or of stdin for `-`. `what` names it in the error. */
export async function readInput(world: World, path: string, what: string): Promise<string> {
  const bytes = path === "-" ? await world.stdin.read() : await readBytes(inputPath(world, path), what);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError(
      "UNREADABLE_FILE",
      `${what} ${path === "-" ? "stdin" : path} is not UTF-8 text`,
      "Save it as UTF-8.",
    );
  }
}

/** Absolute; `~/` is the shell's to expand, but in `--option=~/file` no shell does. */
export function inputPath(world: World, path: string): string {
  const home = world.env["HOME"];
  return path.startsWith("~/") && home !== undefined ? join(home, path.slice(2)) : resolve(world.cwd, path);
}

/** Throws if nothing that can be read is there, before anything is paid for. */
export async function checkReadable(path: string, what: string): Promise<void> {
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw unreadable(error, path, what);
  });
}

async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) {
      throw new CliError("UNREADABLE_FILE", `${what} ${path} has ${size} bytes, and at most ${MOST_BYTES} are read`);
    }
    return await readFile(path);
  } catch (error) {
    throw unreadable(error, path, what);
  }
}

function unreadable(error: unknown, path: string, what: string): unknown {
  if (!isSystemError(error)) return error;
  const why = REASONS[error.code] ?? error.code;
  return new CliError("UNREADABLE_FILE", `${what} ${path} cannot be read: ${why}`, "Check the path.", error);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "this user may not read it",
  ENOTDIR: "a part of its path is not a directory",
  ENAMETOOLONG: "the path is too long",
};

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

/** A directory and all above it, from the inside out. */
export function ancestors(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...ancestors(parent)];
}
