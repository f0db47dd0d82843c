import { lstat, opendir, readdir, readFile } from "node:fs/promises";
import { isStoreError, StoreError, type StoreErrorCode } from "./store-error.ts";

interface Fault {
  readonly code: StoreErrorCode;
  readonly says: string;
  readonly hint: string;
}

const full: Fault = {
  code: "FULL",
  says: "no space is left",
  hint: "Free some space there, then repeat the same call: nothing was lost.",
};
const noAccess: Fault = {
  code: "NO_ACCESS",
  says: "this user has no access",
  hint: "Give this user the directory, or choose another one.",
};
const unusable: Fault = {
  code: "UNUSABLE",
  says: "it cannot hold a store",
  hint: "Choose a directory on a local file system that has hard links.",
};

/** What the system says -> what the user is told. */
const FAULTS: Readonly<Record<string, Fault>> = {
  ENOSPC: full,
  EDQUOT: { ...full, says: "the disk quota is used up" },
  EROFS: {
    code: "READ_ONLY",
    says: "the file system is read-only",
    hint: "Mount it writable, or choose another directory.",
  },
  EACCES: noAccess,
  EPERM: noAccess,
  ENOTDIR: unusable,
  EEXIST: { ...unusable, says: "a file stands where the directory should be" },
  EISDIR: unusable,
  ENOTSUP: unusable,
  EOPNOTSUPP: unusable,
  ENAMETOOLONG: unusable,
};

export function errnoOf(error: unknown): string | undefined {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Runs file system calls on a path; every failure becomes a StoreError that names it. */
export async function onPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isStoreError(error)) throw error;
    const errno = errnoOf(error) ?? "unknown fault";
    const fault = FAULTS[errno] ?? {
      code: "IO",
      says: "the system failed",
      hint: "Look at the cause, then try again.",
    };
    throw new StoreError(fault.code, {
      message: `${path}: ${fault.says} (${errno})`,
      hint: fault.hint,
      path,
      cause: error,
    });
  }
}

/** The text of a file, or null where there is none. A link to nothing is not nothing: its target may be away for now. */
export function readIfThere(path: string): Promise<string | null> {
  return unlessAbsent(path, () => readFile(path, "utf8"));
}

/** The names in a directory, or null where there is none. */
export function namesIfThere(path: string): Promise<readonly string[] | null> {
  return unlessAbsent(path, () => readdir(path));
}

const NAMES_AT_ONCE = 4096;

/** Shows every name in a directory, one after the other and never all in memory; nothing where there is none. */
export async function eachName(path: string, see: (name: string) => void): Promise<void> {
  const names = await unlessAbsent(path, () => opendir(path, { bufferSize: NAMES_AT_ONCE }));
  // Nothing else is done meanwhile: the longer it takes, the more others move in it.
  if (names !== null) for await (const { name } of names) see(name);
}

/** Those of the names in a directory that are wanted, without the others in memory. */
export async function namesThat(path: string, isWanted: (name: string) => boolean): Promise<readonly string[]> {
  const wanted: string[] = [];
  await eachName(path, (name) => {
    if (isWanted(name)) wanted.push(name);
  });
  return wanted;
}

// Each round means that the file appeared while it was looked at.
const MOST_ROUNDS = 10;

async function unlessAbsent<T>(path: string, work: () => Promise<T>): Promise<T | null> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || round > MOST_ROUNDS) throw error;
      const status = await lstat(path).catch(() => null);
      if (status === null) return null;
      if (status.isSymbolicLink()) throw dangling(path, error);
    }
  }
}

function dangling(path: string, cause: unknown): StoreError {
  return new StoreError("CORRUPT", {
    message: `${path} is a link to what is not there`,
    hint: "Bring back what it points to, as a volume that is not mounted; remove the link only if that is lost for good.",
    path,
    cause,
  });
}
