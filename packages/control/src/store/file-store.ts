import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeDirectory, replaceFile, syncDirectory } from "./durable-file.ts";
import { type EntryFilter, matchesFilter, type StoreEntry } from "./entries.ts";
import { namesIfThere, onPath, readIfThere } from "./file-faults.ts";
import { type LeaseFiles, leaseFiles } from "./lease-files.ts";
import { type Processes, systemProcesses } from "./process-identity.ts";
import { isStoredRecord, recordFault, type StoredRecord } from "./record.ts";
import type { Store } from "./store.ts";
import { isStoreError, StoreError } from "./store-error.ts";

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
// One file after another would spend most of its time on waiting for the disk.
const READ_AT_ONCE = 32;

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
    // A person has deleted its file: from now on its holder knows.
    if (held.get(id) === token) held.delete(id);
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
        return { id, token, signal: new AbortController().signal, held: () => held.get(id) === token };
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
    entries: (filter) => entriesIn(root, filter, options.onStray),
    exclusion: "process",
    whereIs: (id) => leases.pathOf(fileNameOf(id)),
  };
}

async function prepare(root: string, leases: LeaseFiles): Promise<void> {
  await makeDirectory(root);
  await leases.sweep();
}

/** Ids hold any character and are long; a hash is safe as a name on every file system, and tells nothing. */
function fileNameOf(id: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(id).digest("hex").slice(0, 40);
}

async function readRecord(path: string, id: string): Promise<StoredRecord | null> {
  const text = await readIfThere(path);
  if (text === null) return null;
  const content = parseContent(text);
  if ("fault" in content) throw unreadable([path], content.fault);
  if (content.id !== id) throw unreadable([path], "CORRUPT");
  return content.record;
}

/** Every record that the filter wants, and then one error that names every file that cannot be read. */
async function* entriesIn(
  root: string,
  filter: EntryFilter = {},
  onStray?: (path: string) => void,
): AsyncGenerator<StoreEntry> {
  const names = (await onPath(root, async () => (await namesIfThere(root)) ?? [])).filter((name) => {
    if (name.endsWith(SUFFIX) && !RECORD.test(name)) onStray?.(join(root, name));
    return RECORD.test(name);
  });
  const unread: { readonly path: string; readonly fault: Fault }[] = [];
  for (let at = 0; at < names.length; at += READ_AT_ONCE) {
    const batch = names.slice(at, at + READ_AT_ONCE).map((name) => readFileOf(root, name, filter));
    for (const found of await Promise.all(batch)) {
      // Null: removed since it was listed, or of a kind that is not wanted.
      if (found === null) continue;
      if ("fault" in found) unread.push(found);
      else if (matchesFilter(found.record, filter)) yield found;
    }
  }
  if (unread.length === 0) return;
  const isCorrupt = unread.some(({ fault }) => fault === "CORRUPT");
  throw unreadable(unread.map(({ path }) => path).sort(), isCorrupt ? "CORRUPT" : "FORMAT");
}

type Fault = "CORRUPT" | "FORMAT";

async function readFileOf(
  root: string,
  name: string,
  filter: EntryFilter,
): Promise<StoreEntry | { readonly path: string; readonly fault: Fault } | null> {
  const path = join(root, name);
  try {
    const text = await onPath(path, () => readIfThere(path));
    if (text === null) return null;
    const content = parseContent(text);
    if (!("fault" in content))
      return `${fileNameOf(content.id)}${SUFFIX}` === name ? content : { path, fault: "CORRUPT" };
    const isOther = filter.kind !== undefined && content.kind !== undefined && content.kind !== filter.kind;
    return isOther ? null : { path, fault: content.fault };
  } catch (error) {
    if (isStoreError(error, "CORRUPT")) return { path, fault: "CORRUPT" };
    throw error;
  }
}

/** A whole entry, or why it is none, and the kind that it would be of. */
type Content = StoreEntry | { readonly fault: Fault; readonly kind?: string };

function parseContent(text: string): Content {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return { fault: "CORRUPT" };
    const { format, id, record } = value as Partial<Record<string, unknown>>;
    if (typeof format === "number" && format > FORMAT) return { fault: "FORMAT" };
    if (format !== FORMAT || typeof id !== "string") return { fault: "CORRUPT" };
    if (isStoredRecord(record)) return { id, record };
    const kind: unknown = typeof record === "object" && record !== null ? Reflect.get(record, "kind") : undefined;
    return { fault: recordFault(record) ?? "CORRUPT", ...(typeof kind === "string" ? { kind } : {}) };
  } catch {
    return { fault: "CORRUPT" };
  }
}

function unreadable(paths: readonly string[], fault: Fault): StoreError {
  const files = paths.join(", ");
  if (fault === "FORMAT") {
    return new StoreError("FORMAT", {
      message: `${files} was written by a newer version; it was left as it is`,
      hint: "Update @slipway/control here to the version that is used elsewhere.",
      path: paths[0],
    });
  }
  return new StoreError("CORRUPT", {
    message: `${files} cannot be read as a record; it was left as it is`,
    hint:
      "Restore the file from a backup; or look with `list` which instance it stands for, terminate that, and then " +
      "move the file away. Without its record a second instance could be launched.",
    path: paths[0],
  });
}
