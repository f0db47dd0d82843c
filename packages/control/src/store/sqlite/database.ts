import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { makeDirectory } from "../durable-file.ts";
import { errnoOf, onPath } from "../file-faults.ts";
import { isStoreError, StoreError, type StoreErrorCode } from "../store-error.ts";

/** 2: the steps that runs add to their records. */
const FORMAT = 2;

const SCHEMA = `
create table if not exists record (
  id text primary key not null,
  kind text not null, provider text, account text, owner text, state text not null,
  record text not null
) without rowid;
create table if not exists lease (id text primary key not null, token text not null, holder text not null) without rowid;
create table if not exists step (id text not null, n integer primary key, step text not null);
create index if not exists step_of_record on step (id, n);
create table if not exists moved (directory text primary key not null) without rowid;
pragma user_version = ${FORMAT};
`;

type Values = readonly (string | number | null)[];
export type Row = Readonly<Record<string, unknown>>;

/** One connection to the file. Every call waits while another process writes, without blocking this process for long. */
export interface Database {
  readonly all: (sql: string, ...values: Values) => Promise<readonly Row[]>;
  /** How many rows it has changed; durable when it resolves. */
  readonly run: (sql: string, ...values: Values) => Promise<number>;
  /** As `run`, for a lease: a power failure that undoes it has ended all holders as well. */
  readonly runUnflushed: (sql: string, ...values: Values) => Promise<number>;
  /** All of it or nothing. `work` runs at once, without interruption, and again where another writer was met. */
  readonly transaction: <T>(work: (run: (sql: string, ...values: Values) => number) => T) => Promise<T>;
  readonly close: () => void;
}

/** Opens the file, which is made for this user alone if it is not there. */
export async function openDatabase(path: string): Promise<Database> {
  await onPath(path, async () => {
    await makeDirectory(dirname(path));
    // SQLite itself would make it readable for everybody; its other files get the same mode as this one.
    await (await open(path, "a", 0o600)).close();
    if (!(await stat(path)).isFile()) throw Object.assign(new Error("not a file"), { code: "EISDIR" });
  });
  const { DatabaseSync } = loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    database = opened;
    await whenFree(path, () => prepare(opened, path));
  } catch (error) {
    database?.close();
    throw faultOf(path, error);
  }
  return connectionTo(database, path);
}

function prepare(database: DatabaseSync, path: string): void {
  // FULL: a commit is on the disk when it returns, also in the journal that writers share.
  database.exec(`pragma busy_timeout = ${BLOCKING_MS}; pragma journal_mode = wal; pragma synchronous = full;`);
  const version: unknown = database.prepare("pragma user_version").get()?.["user_version"];
  if (typeof version === "number" && version > FORMAT) {
    throw new StoreError("FORMAT", {
      message: `${path} was written by a newer version; it was left as it is`,
      hint: "Update @slipway/control here to the version that is used elsewhere.",
      path,
    });
  }
  if (version === FORMAT) return;
  database.exec(`begin immediate; ${SCHEMA} commit;`);
}

function connectionTo(database: DatabaseSync, path: string): Database {
  const statements = new Map<string, StatementSync>();
  let isClosed = false;
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const run = (sql: string, ...values: Values): number => Number(prepared(sql).run(...values).changes);
  const attempt = <T>(work: () => T): Promise<T> =>
    whenFree(path, work).catch((error: unknown) => {
      throw faultOf(path, error);
    });
  return {
    all: (sql, ...values) => attempt(() => prepared(sql).all(...values)),
    run: (sql, ...values) => attempt(() => run(sql, ...values)),
    runUnflushed: (sql, ...values) =>
      attempt(() => {
        database.exec("pragma synchronous = normal");
        try {
          return run(sql, ...values);
        } finally {
          database.exec("pragma synchronous = full");
        }
      }),
    transaction: (work) =>
      attempt(() => {
        database.exec("begin immediate");
        try {
          const result = work(run);
          database.exec("commit");
          return result;
        } catch (error) {
          rollBack(database);
          throw error;
        }
      }),
    close: () => {
      if (!isClosed) database.close();
      isClosed = true;
    },
  };
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec("rollback");
  } catch {
    // SQLite has done so itself, as after a full disk.
  }
}

// So long SQLite itself may wait for another writer, with this whole process standing still.
const BLOCKING_MS = 10;
const PATIENCE_MS = 30_000;
const LONGEST_PAUSE_MS = 20;

/** Does it once no other process writes. A statement that met another writer has changed nothing. */
async function whenFree<T>(path: string, work: () => T): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (let round = 0; ; round += 1) {
    try {
      return work();
    } catch (error) {
      if (!BUSY.has(primaryCodeOf(error))) throw error;
      if (performance.now() > until) {
        throw new StoreError("UNAVAILABLE", {
          message: `${path} was in use by other processes for ${PATIENCE_MS / 1000} s`,
          hint: "Try again later, and look for a program that keeps a transaction open on that file.",
          path,
          cause: error,
        });
      }
      await sleep(Math.random() * Math.min(2 ** round, LONGEST_PAUSE_MS));
    }
  }
}

const BUSY = new Set([5, 6]);

/** SQLite's primary result codes. */
const FAULTS: Readonly<Record<number, readonly [StoreErrorCode, string, string]>> = {
  3: ["NO_ACCESS", "this user has no access", "Give this user the file and its directory, or choose another one."],
  8: ["READ_ONLY", "it is read-only", "Mount its file system writable, or give this user the file."],
  11: ["CORRUPT", "the database is damaged", "Restore the file from a backup; nothing was changed."],
  13: ["FULL", "no space is left", "Free some space there, then repeat the same call: nothing was lost."],
  14: ["UNUSABLE", "it cannot be opened", "Choose a file in a directory that this user may write to."],
  26: ["CORRUPT", "it is not a database", "Choose another file, or restore this one from a backup."],
};

function faultOf(path: string, error: unknown): StoreError {
  if (isStoreError(error)) return error;
  const [code, says, hint] = FAULTS[primaryCodeOf(error)] ?? ["IO", "the database failed", "Look at the cause."];
  const detail = error instanceof Error ? error.message : String(error);
  return new StoreError(code, { message: `${path}: ${says} (${detail})`, hint, path, cause: error });
}

/** An extended result code holds the primary one in its lowest byte. */
function primaryCodeOf(error: unknown): number {
  const code: unknown = errnoOf(error) === "ERR_SQLITE_ERROR" ? Reflect.get(Object(error), "errcode") : undefined;
  return typeof code === "number" ? code % 256 : 0;
}

/**
 * Node's own SQLite. Node 22 warns at its first use that it is experimental, on the standard error of every program that
 * opens a store: that one warning is left out, and no other.
 */
function loadSqlite(): typeof import("node:sqlite") {
  const emitWarning: unknown = Reflect.get(process, "emitWarning");
  Reflect.set(process, "emitWarning", (warning: string | Error, ...rest: readonly unknown[]): void => {
    if (String(warning).startsWith("SQLite is an experimental feature") || typeof emitWarning !== "function") return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  });
  try {
    const sqlite = process.getBuiltinModule("node:sqlite");
    if (sqlite !== undefined) return sqlite;
  } finally {
    Reflect.set(process, "emitWarning", emitWarning);
  }
  throw new StoreError("UNUSABLE", {
    message: "this Node was built without SQLite",
    hint: "Use fileStore, or a Node from 22.13 on that has node:sqlite.",
  });
}
