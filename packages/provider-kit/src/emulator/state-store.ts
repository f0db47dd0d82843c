import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type FileLock, fileLock } from "../sandbox/file-lock.ts";

/** What an emulator remembers between calls, as JSON. */
export interface StateStore<T> {
  /** The state as it is now; a copy. */
  readonly read: () => Promise<T>;
  /**
   * Gives `change` a copy to change in place, and stores it: in one step, so that nobody comes between. Answers what
   * `change` answers. If it throws, nothing is stored.
   */
  readonly update: <R>(change: (state: T) => R | Promise<R>) => Promise<R>;
}

export interface DiskStateOptions<T> {
  /** The state of an emulator that has none yet. */
  readonly initial: () => T;
  /** Checks what was read, and throws for what it does not know. Absent: it is believed. */
  readonly parse?: ((value: unknown) => T) | undefined;
  /** How long to wait for other processes, real milliseconds; 10 seconds if absent. */
  readonly lockTimeoutMs?: number | undefined;
}

/** In this process only. */
export function memoryStateStore<T>(initial: () => T): StateStore<T> {
  let state = structuredClone(initial());
  const queued = queue();
  return {
    read: () => Promise.resolve(structuredClone(state)),
    update: (change) =>
      queued(async () => {
        const draft = structuredClone(state);
        const answer = await change(draft);
        state = draft;
        return answer;
      }),
  };
}

/**
 * In a file that many processes share: each change under a lock, each write whole and durable, so that a process that is
 * killed leaves the old state or the new one. Throws an Error that names the file where it holds no JSON, or what `parse`
 * refuses; the file is then left as it is.
 */
export function diskStateStore<T>(path: string, options: DiskStateOptions<T>): StateStore<T> {
  const { initial, parse, lockTimeoutMs = 10_000 } = options;
  const queued = queue();
  const read = async (): Promise<T> => {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return structuredClone(initial());
      throw error;
    }
    try {
      const value: unknown = JSON.parse(text);
      // Without `parse` the file is the store's own: only `update` writes it, and it writes a T.
      return parse === undefined ? (value as T) : parse(value);
    } catch (cause) {
      throw new Error(`${path} holds no state of this emulator: remove it to begin anew`, { cause });
    }
  };
  return {
    read,
    update: (change) =>
      queued(async () => {
        const lock = await locked(path, lockTimeoutMs);
        try {
          await sweepDrafts(path);
          const draft = await read();
          const before = JSON.stringify(draft);
          const answer = await change(draft);
          const after = JSON.stringify(draft);
          if (after !== before) await replace(path, after);
          return answer;
        } finally {
          await lock.release();
        }
      }),
  };
}

/** One after the other, whatever becomes of each. */
function queue(): <R>(work: () => Promise<R>) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function locked(path: string, timeoutMs: number): Promise<FileLock> {
  await mkdir(dirname(path), { recursive: true });
  const until = performance.now() + timeoutMs;
  const lock = await fileLock(`${path}.lock`, async () => {
    if (performance.now() >= until) return false;
    // At odd moments: of many who wait, none is always the one who comes too late.
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 9));
    return true;
  });
  if (lock !== null) return lock;
  throw new Error(`${path} is locked by another process for more than ${timeoutMs} ms`);
}

/** Drafts that killed processes left behind: under the lock there is no other. */
async function sweepDrafts(path: string): Promise<void> {
  const draft = /^\d+\.[0-9a-f-]{36}$/;
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix) && draft.test(name.slice(prefix.length))) {
      await rm(join(dirname(path), name), { force: true });
    }
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function replace(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${crypto.randomUUID()}`;
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
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The new name itself is durable only with its folder. Some systems cannot sync one, and need not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // As said above.
  } finally {
    await handle?.close();
  }
}
