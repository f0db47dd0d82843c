import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "./layout.ts";

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
// Whatever a guest makes of a file, no more of it is read.
const MOST_BYTES = 1024 * 1024;

/** What was read of a guest's file, and its permissions. */
export interface FileInside {
  readonly content: Uint8Array;
  readonly mode: number;
}

/**
 * A file of a guest, by its path inside, at most 1 MiB of it; null where there is none. No link is followed, also where the
 * guest swaps a directory for a link meanwhile: nothing outside the root is ever read.
 */
export function readFileInside(root: string, path: string): FileInside | null {
  try {
    return onFile(root, path, O_RDONLY, false, (file) => {
      const { size, mode } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(MOST_BYTES, size));
      return { content: bytes.subarray(0, readSync(file, bytes)), mode: mode & 0o777 };
    });
  } catch {
    return null;
  }
}

/** Its text, as `readFileInside` reads it. */
export function readInside(root: string, path: string): string | null {
  const found = readFileInside(root, path);
  return found === null ? null : Buffer.from(found.content).toString("utf8");
}

/** Writes a file of a guest, and makes the directories on the way. Throws SandboxError `invalid` where a link is in the way. */
export function writeInside(root: string, path: string, text: string): void {
  try {
    onFile(root, path, O_WRONLY | O_CREAT | O_TRUNC, true, (file) => writeFileSync(file, text));
  } catch (error) {
    throw new SandboxError("invalid", `${path} in the root cannot be written without following a link`, error);
  }
}

function onFile<T>(root: string, path: string, flags: number, makes: boolean, work: (file: number) => T): T {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const name = parts.pop();
  if (name === undefined || [name, ...parts].includes("..")) throw new RangeError(`${path} names no file inside`);
  const at = isLinux() ? viaDescriptors : viaPaths;
  return at(root, parts, makes, (file) => {
    // A pipe would keep an open waiting.
    const descriptor = openSync(join(file, name), flags | O_NOFOLLOW | O_NONBLOCK, 0o644);
    try {
      if (!fstatSync(descriptor).isFile()) throw new RangeError(`${path} is no file`);
      return work(descriptor);
    } finally {
      closeSync(descriptor);
    }
  });
}

type Within = <T>(root: string, parts: readonly string[], makes: boolean, work: (directory: string) => T) => T;

function isLinux(): boolean {
  return process.platform === "linux";
}

/** Each directory is opened in the one before it, which stays the same whatever becomes of its path. */
const viaDescriptors: Within = (root, parts, makes, work) => {
  let directory = openSync(root, O_RDONLY | O_DIRECTORY);
  try {
    for (const part of parts) {
      const next = `/proc/self/fd/${directory}/${part}`;
      if (makes) makeDirectory(next);
      const opened = openSync(next, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      closeSync(directory);
      directory = opened;
    }
    return work(`/proc/self/fd/${directory}`);
  } finally {
    closeSync(directory);
  }
};

/** Where no descriptor has a path, nothing runs in a root of its own either: a look before is all that can be had. */
const viaPaths: Within = (root, parts, makes, work) => {
  let directory = root;
  for (const part of parts) {
    directory = join(directory, part);
    if (makes) makeDirectory(directory);
    if (!lstatSync(directory).isDirectory()) throw new RangeError(`${directory} is no directory`);
  }
  return work(directory);
};

function makeDirectory(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path);
}
