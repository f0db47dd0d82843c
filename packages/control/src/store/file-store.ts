import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeDirectory, replaceFile, syncDirectory } from "./durable-file.ts";
import { namesIfThere, onPath, readIfThere } from "./file-faults.ts";
import { type LeaseFiles, leaseFiles } from "./lease-files.ts";
import { type Processes, systemProcesses } from "./process-identity.ts";
import { isStoredRecord, type StoredRecord } from "./record.ts";
import type { Store, StoreEntry } from "./store.ts";
import { StoreError } from "./store-error.ts";

export interface FileStoreOptions {
  /**
   * What a lease of another machine or container means, whose processes cannot be seen from here. `held`, the default:
   * it is in use until a person deletes its file. `dead`: only where no other machine or container uses the directory
   * at the same time, as in a container that is restarted on its volume.
   */
  readonly foreignLeases?: "held" | "dead" | undefined;
  /** Gets the path of each JSON file among the records that is not one by its name; it is left alone otherwise. */
  readonly onStray?: ((path: string) => void) | undefined;
  /** Who lives and who does not; the machine's own processes if absent. For tests. */
  readonly processes?: Processes | undefined;
}

const FORMAT = 1;
const SUFFIX = ".json";
const RECORD = /^[0-9a-f]{40}\.json$/;

/**
 * A store in a directory, for the processes of one machine: one JSON file per record, written durably, and one lease
 * file per id while it is held. Records hold secrets: the directory is made with mode 0700 and files with 0600. The
 * directory is made at the first write; nothing is read or written before the first call.
 */
export function fileStore(directory: string, options: FileStoreOptions = {}): Store {
  const root = resolve(directory);
  const leases = leaseFiles(root, options.processes ?? systemProcesses(), options.foreignLeases === "dead");
  // What this object holds: a lease is a right of the object that took it, not of all that runs in the process.
  const held = new Map<string, string>();
  let opened: Promise<void> | undefined;

  const open = (): Promise<void> => {
    opened ??= prepare(root, leases).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };

  const mustHold = async (id: string): Promise<void> => {
    const token = held.get(id);
    if (token !== undefined && (await leases.isHeld(fileNameOf(id), token))) return;
    throw new StoreError("NOT_HELD", {
      message: `the lease of ${id} is not held`,
      hint: "Take the lease with acquire before writing, and do not delete lease files of living processes.",
      path: leases.pathOf(fileNameOf(id)),
    });
  };

  const pathOf = (id: string): string => join(root, `${fileNameOf(id)}${SUFFIX}`);

  return {
    acquire: (id) =>
      onPath(root, async () => {
        await open();
        const token = await leases.take(fileNameOf(id)).catch((error: unknown) => {
          // Somebody may have removed the directory: the next call makes it again.
          opened = undefined;
          throw error;
        });
        if (token === null) return null;
        held.set(id, token);
        return { id, token };
      }),
    read: (id) => onPath(pathOf(id), () => readRecord(pathOf(id), id)),
    write: (id, record) =>
      onPath(pathOf(id), async () => {
        await mustHold(id);
        const content = `${JSON.stringify({ format: FORMAT, id, record }, null, 2)}\n`;
        await replaceFile(pathOf(id), content, await leases.draftPath());
      }),
    remove: (id) =>
      onPath(pathOf(id), async () => {
        await mustHold(id);
        await rm(pathOf(id), { force: true });
        await syncDirectory(root);
      }),
    release: (lease) =>
      onPath(leases.pathOf(fileNameOf(lease.id)), async () => {
        if (held.get(lease.id) === lease.token) held.delete(lease.id);
        await leases.release(fileNameOf(lease.id), lease.token);
      }),
    entries: () => onPath(root, () => readAll(root, options.onStray)),
    whereIs: (id) => leases.pathOf(fileNameOf(id)),
  };
}

async function prepare(root: string, leases: LeaseFiles): Promise<void> {
  await makeDirectory(root);
  await leases.sweep();
}

/** Ids hold any character and are long; a hash is safe as a name on every file system, and tells nothing. */
function fileNameOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 40);
}

async function readRecord(path: string, id?: string): Promise<StoredRecord | null> {
  return (await readEntry(path, id))?.record ?? null;
}

async function readEntry(path: string, id?: string): Promise<StoreEntry | null> {
  const text = await readIfThere(path);
  if (text === null) return null;
  const entry = parseEntry(text);
  if (entry !== null && (id === undefined || entry.id === id)) return entry;
  throw corrupt([path]);
}

/** All records, or one error that names every file that is not one. */
async function readAll(root: string, onStray?: (path: string) => void): Promise<readonly StoreEntry[]> {
  const names = (await namesIfThere(root)) ?? [];
  const entries: StoreEntry[] = [];
  const broken: string[] = [];
  for (const name of names.filter((file) => file.endsWith(SUFFIX)).sort()) {
    const path = join(root, name);
    if (!RECORD.test(name)) {
      onStray?.(path);
      continue;
    }
    const text = await readIfThere(path);
    const entry = text === null ? null : parseEntry(text);
    // Null text: removed since it was listed.
    if (entry !== null && `${fileNameOf(entry.id)}${SUFFIX}` === name) entries.push(entry);
    else if (text !== null) broken.push(path);
  }
  if (broken.length > 0) throw corrupt(broken);
  return entries;
}

function parseEntry(text: string): StoreEntry | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const { format, id, record } = value as Partial<Record<string, unknown>>;
    return format === FORMAT && typeof id === "string" && isStoredRecord(record) ? { id, record } : null;
  } catch {
    return null;
  }
}

function corrupt(paths: readonly string[]): StoreError {
  return new StoreError("CORRUPT", {
    message: `${paths.join(", ")} cannot be read as a record; it was left as it is`,
    hint:
      "Restore the file from a backup; or look with `list` which instance it stands for, terminate that, and then " +
      "move the file away. Without its record a second instance could be launched.",
    path: paths[0],
  });
}
