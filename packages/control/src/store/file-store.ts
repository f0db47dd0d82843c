import { resolve } from "node:path";
import { makeDirectory } from "./durable-file.ts";
import { onPath } from "./file-faults.ts";
import { leaseFiles } from "./lease-files.ts";
import { type Processes, systemProcesses } from "./process-identity.ts";
import { fileNameOf, recordFiles } from "./record-files.ts";
import type { Store } from "./store.ts";
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

/**
 * A store in a directory, for the processes of one machine: one JSON file per record, written durably (beside that of a
 * run that goes on, one with its steps), and one lease file per id while it is held. Records hold secrets: the directory
 * is made with mode 0700 and files with 0600. The directory is made at the first write; nothing is read or written before
 * the first call.
 *
 * @example
 * ```ts
 * import { launch } from "@slipway/control";
 *
 * const files = fileStore("./state");
 * await launch(provider, { key: "worker-1", spec: "m1.small" }, { store: files });
 * ```
 */
export function fileStore(directory: string, options: FileStoreOptions = {}): Store {
  const root = resolve(directory);
  const leases = leaseFiles(root, options.processes ?? systemProcesses(), options.foreignLeases === "dead");
  const records = recordFiles(root, leases.draftPath);
  // What this object holds: a lease is a right of the object that took it, not of all that runs in the process.
  const held = new Map<string, string>();
  let opened: Promise<void> | undefined;

  const prepare = async (): Promise<void> => {
    await makeDirectory(root);
    await leases.sweep();
    await records.sweep();
  };
  const open = (): Promise<void> => {
    opened ??= prepare().catch((error: unknown) => {
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

  const { pathOf } = records;

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
        records.forget(id);
        held.set(id, token);
        return { id, token, signal: new AbortController().signal, held: () => held.get(id) === token };
      }),
    read: (id) => onPath(pathOf(id), () => records.read(id)),
    write: (id, record) =>
      onPath(pathOf(id), async () => {
        await mustHold(id);
        await records.write(id, record);
      }),
    appendStep: (id, step) =>
      onPath(pathOf(id), async () => {
        await mustHold(id);
        await records.appendStep(id, step);
      }),
    remove: (id) =>
      onPath(pathOf(id), async () => {
        await mustHold(id);
        await records.remove(id);
      }),
    release: (lease) =>
      onPath(leases.pathOf(fileNameOf(lease.id)), async () => {
        if (held.get(lease.id) === lease.token) held.delete(lease.id);
        await leases.release(fileNameOf(lease.id), lease.token);
      }),
    entries: (filter) => records.entries(filter ?? {}, options.onStray),
    exclusion: "process",
    whereIs: (id) => leases.pathOf(fileNameOf(id)),
  };
}
