import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeDirectory, syncDirectory, writeNewFile } from "../durable-file.ts";
import { errnoOf, namesIfThere, onPath } from "../file-faults.ts";
import { fileStore } from "../file-store.ts";
import { leaseFiles } from "../lease-files.ts";
import type { Processes } from "../process-identity.ts";
import { recordColumns, recordText } from "../record-row.ts";
import type { StoreEntry } from "../store.ts";
import { StoreError } from "../store-error.ts";
import type { Database } from "./database.ts";

/** Who may still work in the directory. */
interface Holders {
  readonly processes: Processes;
  /** As the store was told of leases of other machines and containers. */
  readonly foreignIsDead: boolean;
}

/**
 * Moves the records of a `fileStore` into the database. Why no record is lost or comes back, wherever a process dies:
 *
 * - The directory is renamed in one step. A process that still works in it has lost its lease by that, and every later write
 *   of it is NOT_HELD; what it wrote before has moved along.
 * - A file takes the directory's name, so that `fileStore` refuses it. If a process made the directory again before that,
 *   the whole is repeated for the new one.
 * - The records come in with the new name of the directory in one transaction. Where that name is known already, another
 *   process was faster, and what was forgotten since stays forgotten.
 * - Every process finishes what another one began, before its own first call.
 */
export async function moveFiles(directory: string, path: string, database: Database, holders: Holders): Promise<void> {
  await onPath(directory, async () => {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      for (const moving of await movingFrom(directory)) await takeIn(moving, database);
      const names = await namesIfThere(directory).catch((error: unknown) => {
        // The file that stands there since it was moved.
        if (errnoOf(error) === "ENOTDIR") return undefined;
        throw error;
      });
      if (names === undefined) return;
      if (names === null) {
        // Nothing to move: the name is taken all the same, since an older program would begin a second store there.
        await makeDirectory(dirname(directory));
        if (await putSign(directory, path)) return;
        continue;
      }
      await mustBeIdle(directory, names, holders);
      // Read once before anything is changed: a record that cannot be read is for a person.
      await recordsIn(directory);
      await renameIfThere(directory, `${directory}${MOVING}${crypto.randomUUID()}`);
      await syncDirectory(dirname(directory));
      await putSign(directory, path);
    }
    throw inUse(directory, "other processes make it again and again");
  });
}

const MOVING = ".moving-";
const MOVED = ".moved-";
const MOST_ROUNDS = 20;

async function movingFrom(directory: string): Promise<readonly string[]> {
  const prefix = `${basename(directory)}${MOVING}`;
  const names = (await namesIfThere(dirname(directory))) ?? [];
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(dirname(directory), name));
}

async function takeIn(moving: string, database: Database): Promise<void> {
  const entries = await recordsIn(moving);
  await database.transaction((run) => {
    if (run("insert into moved (directory) values (?) on conflict do nothing", basename(moving)) === 0) return;
    for (const { id, record } of entries) run(TAKE_IN, id, ...recordColumns(record), recordText(record));
  });
  await renameIfThere(moving, moving.replace(MOVING, MOVED));
  await syncDirectory(dirname(moving));
}

// One of a directory that was made again says nothing of one that was launched before: that one is the older truth.
const TAKE_IN = `
insert into record (id, kind, provider, account, owner, state, record) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing`;

/** All at once: what was written for one machine. Throws where one cannot be read. */
async function recordsIn(directory: string): Promise<readonly StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of fileStore(directory).entries()) entries.push(entry);
  return entries;
}

/** False if something stands there. */
async function putSign(directory: string, path: string): Promise<boolean> {
  try {
    await writeNewFile(directory, `The records of this store are in ${path} now.\n`);
    await syncDirectory(dirname(directory));
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Not needed for safety: a launch that is under way would have to be called again, and nobody would know why. */
async function mustBeIdle(directory: string, names: readonly string[], holders: Holders): Promise<void> {
  const leases = leaseFiles(directory, holders.processes, holders.foreignIsDead);
  for (const name of names) {
    if (name.endsWith(".lease") && (await leases.isInUse(name.slice(0, -".lease".length)))) {
      throw inUse(directory, `a process that lives holds ${name}`);
    }
  }
}

function inUse(directory: string, why: string): StoreError {
  return new StoreError("UNAVAILABLE", {
    message: `the records in ${directory} could not be moved yet: ${why}`,
    hint: "Wait until no program works with that directory, then try again.",
    path: directory,
  });
}

/** Another process may have done the same. */
async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if (errnoOf(error) !== "ENOENT") throw error;
  });
}
