import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type LaunchRecord, launchId, recordColumns, recordText, sqliteStore } from "@slipway/control";

/** What is needed of the server that the bench has started. */
interface Server {
  readonly socket: string;
  readonly pool: () => { readonly query: (query: { text: string; values: unknown[] }) => Promise<unknown> };
}

const run = promisify(execFile);
const program = fileURLToPath(new URL("reconcile-records.ts", import.meta.url));

/** Of an instance that has ended long ago: what a store is full of after some years. */
function endedRecord(key: string): LaunchRecord {
  return {
    ...{ kind: "launch", identity: { provider: "memory", account: "", owner: "bench", key }, state: "ended" },
    ...{ specHash: `sha256:${"0".repeat(64)}`, attempt: 1, at: "2026-01-01T00:00:00.000Z", placement: 0 },
    ...{ instanceId: `memory-${key}`, region: "memory-1", expected: {}, gone: [] },
  };
}

const SQL = "insert into record (id, kind, provider, account, owner, state, record) values (?, ?, ?, ?, ?, ?, ?)";

async function fillSqlite(file: string, from: number, to: number): Promise<void> {
  const store = sqliteStore(file);
  await store.read("none");
  await store.close?.();
  const database = new DatabaseSync(file);
  const insert = database.prepare(SQL);
  database.exec("begin");
  for (let at = from; at < to; at += 1) {
    const record = endedRecord(`old-${at}`);
    insert.run(launchId(record.identity), ...recordColumns(record), recordText(record));
  }
  database.exec("commit");
  database.close();
}

function fillFiles(directory: string, from: number, to: number): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (let at = from; at < to; at += 1) {
    const record = endedRecord(`old-${at}`);
    const id = launchId(record.identity);
    const name = createHash("sha256").update(id).digest("hex").slice(0, 40);
    writeFileSync(path.join(directory, `${name}.json`), JSON.stringify({ format: 1, id, record }, null, 2));
  }
}

async function fillPostgres(server: Server, from: number, to: number): Promise<void> {
  const record = endedRecord("old-@");
  const text = `insert into slipway.record (id, kind, provider, account, owner, state, record)
    select replace($1, '%40', n::text), $2, $3, $4, $5, $6, replace($7, '@', n::text) from generate_series($8::int, $9::int) as n`;
  const values = [launchId(record.identity), ...recordColumns(record), recordText(record), from, to - 1];
  await server.pool().query({ text, values });
}

/** What one reconcile took. Memory in megabytes: `heaps` is what was kept after each tenth of the records. */
interface Taken {
  readonly seconds: number;
  readonly before: number;
  readonly peak: number;
  readonly heaps: readonly number[];
  readonly seen: number;
  readonly items: number;
}

// What is kept of each record passes this long before a million; and garbage, which says nothing, gets little place.
const HEAP = ["--expose-gc", "--max-old-space-size=32", "--max-semi-space-size=2"];
/** A store of a million records is 450 MB. So much may its reconcile have kept of them at most, and have grown by. */
const KEPT_MB = 2;
const GROWN_MB = 16;
/** The names of files are read at once, before any other process can move much in the directory. */
const BYTES_PER_FILE = 64;

async function measure(kind: string, place: string, records: number): Promise<Taken> {
  const args = ["--conditions=@slipway/source", "--no-warnings", ...HEAP, program, kind, place, String(records)];
  const { stdout } = await run(process.execPath, args);
  // Written by reconcile-records.ts.
  const taken = JSON.parse(stdout) as Taken;
  if (taken.seen < records) throw new Error(`${kind}: ${taken.seen} of ${records} records were read`);
  const { seconds, before, peak, heaps, items } = taken;
  const memory = `peak ${peak} MB, ${before} MB before`;
  const kept = `heap ${heaps.map((mb) => mb.toFixed(0)).join(" ")} MB`;
  console.log(
    `${kind.padEnd(9)} ${String(records).padStart(8)} records  ${seconds.toFixed(1)} s  ${memory}  ${kept}  ${items} in the plan`,
  );
  return taken;
}

/** Says whether memory is flat: neither more of it within one reconcile, nor more than for a tenth of the records. */
function judge(kind: string, tenth: Taken, whole: Taken): boolean {
  const kept = Math.max(...whole.heaps) - (whole.heaps[0] ?? 0);
  const grown = whole.peak - tenth.peak;
  const most = Math.ceil(GROWN_MB + (kind === "files" ? (whole.seen * BYTES_PER_FILE) / 1e6 : 0));
  const isMet = kept <= KEPT_MB && grown <= most;
  const says = `${kept.toFixed(1)} MB kept (at most ${KEPT_MB}), peak ${grown} MB above that of a tenth (at most ${most})`;
  console.log(`${isMet ? "met   " : "missed"}  ${kind}: memory is flat: ${says}`);
  return isMet;
}

interface Filled {
  readonly kind: string;
  readonly place: string;
  readonly fill: (from: number, to: number) => Promise<void> | void;
}

/**
 * Reconciles a tenth of the records, and then all of them: what it needs of memory must be the same. False where it is not.
 */
export async function benchReconcile(records: number, directory: string, server: Server | null): Promise<boolean> {
  const files = path.join(directory, "reconcile-files");
  const sqlite = path.join(directory, "reconcile.db");
  const stores: readonly Filled[] = [
    { kind: "sqlite", place: sqlite, fill: (from, to) => fillSqlite(sqlite, from, to) },
    ...(server === null
      ? []
      : [
          {
            ...{ kind: "postgres", place: server.socket },
            fill: (from: number, to: number) => fillPostgres(server, from, to),
          },
        ]),
    { kind: "files", place: files, fill: (from, to) => fillFiles(files, from, to) },
  ];
  let areAllMet = true;
  for (const { kind, place, fill } of stores) {
    const part = Math.ceil(records / 10);
    await fill(0, part);
    const tenth = await measure(kind, place, part);
    await fill(part, records);
    if (!judge(kind, tenth, await measure(kind, place, records))) areAllMet = false;
  }
  return areAllMet;
}
