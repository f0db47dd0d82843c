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

/** Null where there is no such file. */
export function nullIfAbsent(error: unknown): null {
  if (errnoOf(error) === "ENOENT") return null;
  throw error;
}
