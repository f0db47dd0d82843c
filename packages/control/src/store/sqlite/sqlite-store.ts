import { isAbsolute, relative, resolve, sep } from "node:path";
import { type Processes, type ProcessIdentity, systemProcesses } from "../process-identity.ts";
import type { StoredRecord } from "../record.ts";
import { parseRecordRow, type RowContent, recordColumns, recordText } from "../record-row.ts";
import { type EntryFilter, matchesFilter, type Store, type StoreEntry } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { type Database, openDatabase, type Row } from "./database.ts";
import { moveFiles } from "./move-files.ts";

export interface SqliteStoreOptions {
  /**
   * The directory of a `fileStore` that this store takes the place of. Its records are moved at the first call, and from
   * then on `fileStore` refuses that directory. Safe to repeat, and to be killed in.
   */
  readonly moveFrom?: string | undefined;
  /** What a lease of another machine or container means, as for `fileStore`. */
  readonly foreignLeases?: "held" | "dead" | undefined;
  /** Who lives and who does not; the machine's own processes if absent. For tests. */
  readonly processes?: Processes | undefined;
}

/**
 * A store in one SQLite file, for the processes of one machine: one file to copy, and what is written is there in whole or
 * not at all. Needs a local file system. Records hold secrets: the file is made with mode 0600. Nothing is read or written before the first call.
 *
 * @example
 * ```ts
 * import { launch } from "@slipway/control";
 *
 * const rows = sqliteStore("./slipway.db");
 * await launch(provider, { key: "worker-1", spec: "m1.small" }, { store: rows });
 * ```
 */
export function sqliteStore(file: string, options: SqliteStoreOptions = {}): Store {
  const path = resolve(file);
  const processes = options.processes ?? systemProcesses();
  // What this object holds: a lease is a right of the object that took it, not of all that runs in the process.
  const held = new Map<string, string>();
  // Tokens that were given back and whose rows could not be removed: this process lives, and nobody works under them.
  const givenBack = new Set<string>();
  // Records under leases of this object that take steps, for sure.
  const takesSteps = new Set<string>();
  let opening: Promise<Database> | undefined;

  const opened = (): Promise<Database> => {
    opening ??= openAndMove(path, options, processes).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const isFree = async ({ token, holder }: Row, id: string): Promise<boolean> => {
    if (givenBack.has(String(token))) return true;
    const state = await processes.stateOf(holderOf(holder, path, id));
    return state === "dead" || (state === "foreign" && options.foreignLeases === "dead");
  };

  /** `work` looks at the lease in the transaction that writes: nobody can take it in between. */
  const fenced = async (id: string, work: (database: Database, token: string) => Promise<boolean>): Promise<void> => {
    const token = held.get(id);
    if (token !== undefined && (await work(await opened(), token))) return;
    if (held.get(id) === token) held.delete(id);
    throw new StoreError("NOT_HELD", {
      message: `the lease of ${id} is not held`,
      hint: "Take the lease with acquire before writing, and do not delete lease rows of living processes.",
      path,
    });
  };

  const rowOf = async (id: string): Promise<RowContent | null> => {
    const [row] = await (await opened()).all(READ, id);
    return row === undefined ? null : parseRecordRow(row["record"], row["steps"]);
  };
  const write = async (id: string, record: StoredRecord): Promise<void> => {
    const values = [...recordColumns(record), recordText(record), id];
    await fenced(id, (database, token) => {
      if (record.kind !== "run") return database.run(WRITE, ...values, token).then((rows) => rows > 0);
      return database.transaction((run) => {
        if (run(WRITE, ...values, token) === 0) return false;
        run("delete from step where id = ?", id);
        return true;
      });
    });
    if (record.kind === "run") takesSteps.add(id);
  };

  return {
    acquire: async (id) => {
      const database = await opened();
      const token = crypto.randomUUID();
      const holder = JSON.stringify(await processes.self());
      for (let round = 0; round < MOST_ROUNDS; round += 1) {
        const [current] = await database.all(CURRENT_LEASE, id);
        if (current !== undefined && !(await isFree(current, id))) return null;
        // Only over the very lease that was judged: of several contenders one changes a row.
        const changed =
          current === undefined
            ? await database.runUnflushed(NEW_LEASE, id, token, holder)
            : await database.runUnflushed(TAKE_OVER, token, holder, id, String(current["token"]));
        if (changed === 0) continue;
        givenBack.delete(String(current?.["token"]));
        held.set(id, token);
        takesSteps.delete(id);
        return { id, token, signal: new AbortController().signal, held: () => held.get(id) === token };
      }
      return null;
    },
    read: async (id) => {
      const content = await rowOf(id);
      if (content === null) return null;
      if ("fault" in content) throw unreadable(path, [id], content.fault);
      return content.record;
    },
    write,
    appendStep: async (id, step) => {
      const values = [JSON.stringify(step), id];
      if (held.has(id) && !takesSteps.has(id)) {
        const content = await rowOf(id);
        if (content === null || "fault" in content) throw unreadable(path, [id], content?.fault ?? "CORRUPT");
        if (!content.takesSteps) await write(id, content.record);
        takesSteps.add(id);
      }
      await fenced(id, async (database, token) => (await database.run(APPEND, ...values, token)) > 0);
    },
    remove: (id) => {
      takesSteps.delete(id);
      return fenced(id, (database, token) =>
        database.transaction((run) => {
          if (run("update lease set token = token where id = ? and token = ?", id, token) === 0) return false;
          run("delete from record where id = ?", id);
          run("delete from step where id = ?", id);
          return true;
        }),
      );
    },
    release: async ({ id, token }) => {
      if (held.get(id) === token) {
        held.delete(id);
        givenBack.add(token);
      }
      await (await opened()).runUnflushed("delete from lease where id = ? and token = ?", id, token);
      givenBack.delete(token);
    },
    entries: (filter) => entriesIn(opened, path, filter),
    exclusion: "process",
    close: async () => {
      const database = await opening?.catch(() => undefined);
      opening = undefined;
      for (const [id, token] of held) {
        held.delete(id);
        givenBack.add(token);
        await database?.runUnflushed("delete from lease where id = ? and token = ?", id, token).catch(() => undefined);
      }
      database?.close();
    },
    whereIs: (id) => `${path}, table lease, id ${id}`,
  };
}

// Each round means that the lease changed hands while it was looked at.
const MOST_ROUNDS = 100;
const PAGE = 500;

const CURRENT_LEASE = "select token, holder from lease where id = ?";
const NEW_LEASE = "insert into lease (id, token, holder) values (?, ?, ?) on conflict do nothing";
const TAKE_OVER = "update lease set token = ?, holder = ? where id = ? and token = ?";
// One text for all steps of a run: what JSON writes holds no line end.
const WITH_STEPS = `id, record,
case kind when 'run' then (select group_concat(step, char(10) order by n) from step where step.id = record.id) end as steps`;
const READ = `select ${WITH_STEPS} from record where id = ?`;
const APPEND = "insert into step (step, id) select ?, id from lease where id = ? and token = ?";
const WRITE = `
insert into record (kind, provider, account, owner, state, record, id)
select ?, ?, ?, ?, ?, ?, id from lease where id = ? and token = ?
on conflict (id) do update set kind = excluded.kind, provider = excluded.provider, account = excluded.account,
  owner = excluded.owner, state = excluded.state, record = excluded.record`;

async function openAndMove(path: string, options: SqliteStoreOptions, processes: Processes): Promise<Database> {
  const { moveFrom, foreignLeases } = options;
  if (moveFrom !== undefined) mustLieOutside(path, resolve(moveFrom));
  const database = await openDatabase(path);
  try {
    if (moveFrom !== undefined) {
      await moveFiles(resolve(moveFrom), path, database, { processes, foreignIsDead: foreignLeases === "dead" });
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The directory is renamed: a database in it would go with it, and the next process would not find it. */
function mustLieOutside(path: string, directory: string): void {
  const below = relative(directory, path);
  if (below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below)) return;
  throw new StoreError("UNUSABLE", {
    message: `${path} lies in ${directory}, whose records it should take over; nothing was changed`,
    hint: "Choose a file beside that directory: a file takes the directory's name.",
    path,
  });
}

/** By id, page after page: nothing is locked between two pages, and what others write moves no page. */
async function* entriesIn(
  opened: () => Promise<Database>,
  path: string,
  filter: EntryFilter = {},
): AsyncGenerator<StoreEntry> {
  const { kind, provider, account, owner, states } = filter;
  const wanted = Object.entries({ kind, provider, account, owner }).filter(([, value]) => value !== undefined);
  const conditions = ["id > ?", ...wanted.map(([column]) => `${column} = ?`)];
  if (states !== undefined) conditions.push(`state in (${states.map(() => "?").join(", ")})`);
  const sql = `select ${WITH_STEPS} from record where ${conditions.join(" and ")} order by id limit ${PAGE}`;
  const values = [...wanted.map(([, value]) => value ?? null), ...(states ?? [])];
  const unread: { readonly id: string; readonly fault: "CORRUPT" | "FORMAT" }[] = [];
  for (let last = ""; ; ) {
    const page = await (await opened()).all(sql, last, ...values);
    for (const row of page) {
      const id = String(row["id"]);
      last = id;
      const parsed = parseRecordRow(row["record"], row["steps"]);
      if ("fault" in parsed) unread.push({ id, fault: parsed.fault });
      else if (matchesFilter(parsed.record, filter)) yield { id, record: parsed.record };
    }
    if (page.length < PAGE) break;
  }
  if (unread.length === 0) return;
  const isCorrupt = unread.some(({ fault }) => fault === "CORRUPT");
  throw unreadable(
    path,
    unread.map(({ id }) => id),
    isCorrupt ? "CORRUPT" : "FORMAT",
  );
}

function unreadable(path: string, ids: readonly string[], fault: "CORRUPT" | "FORMAT"): StoreError {
  const those = ids.join(", ");
  if (fault === "FORMAT") {
    return new StoreError("FORMAT", {
      message: `${path}: the record ${those} was written by a newer version; it was left as it is`,
      hint: "Update @slipway/control here to the version that is used elsewhere.",
      path,
    });
  }
  return new StoreError("CORRUPT", {
    message: `${path}: the record ${those} cannot be read; it was left as it is`,
    hint:
      "Restore the file from a backup; or look with `list` which instance it stands for, terminate that, and then " +
      "delete the row. Without its record a second instance could be launched.",
    path,
  });
}

function holderOf(text: unknown, path: string, id: string): ProcessIdentity {
  try {
    const value: unknown = JSON.parse(String(text));
    if (isIdentity(value)) return value;
  } catch {
    // As a row that is no identity.
  }
  throw new StoreError("CORRUPT", {
    message: `${path}: the lease of ${id} cannot be read`,
    hint: "If no process works with this key, delete that row of the table lease; the record is not touched.",
    path,
  });
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null || !Number.isSafeInteger(Reflect.get(value, "pid"))) return false;
  const texts = ["startTime", "bootId", "pidNamespace", "host", "machineId"];
  return texts.every((name) => typeof Reflect.get(value, name) === "string");
}
