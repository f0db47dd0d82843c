import { execFile } from "node:child_process";
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

async function fillPostgres(server: Server, from: number, to: number): Promise<void> {
  const record = endedRecord("old-@");
  const text = `insert into slipway.record (id, kind, provider, account, owner, state, record)
    select replace($1, '%40', n::text), $2, $3, $4, $5, $6, replace($7, '@', n::text) from generate_series($8::int, $9::int) as n`;
  const values = [launchId(record.identity), ...recordColumns(record), recordText(record), from, to - 1];
  await server.pool().query({ text, values });
}

async function measure(kind: string, place: string, records: number): Promise<void> {
  const { stdout } = await run(process.execPath, [
    "--conditions=@slipway/source",
    "--no-warnings",
    program,
    kind,
    place,
  ]);
  // Written by reconcile-records.ts.
  const seen = JSON.parse(stdout) as { seconds: number; before: number; peak: number; items: number };
  const { seconds, before, peak, items } = seen;
  const memory = `peak ${peak} MB, ${before} MB before`;
  console.log(
    `${kind.padEnd(9)} ${String(records).padStart(8)} records  ${seconds.toFixed(1)} s  ${memory}  ${items} in the plan`,
  );
}

/** Reconciles a tenth of the records, and then all of them: what it needs of memory must be the same. */
export async function benchReconcile(records: number, directory: string, server: Server | null): Promise<void> {
  const file = path.join(directory, "reconcile.db");
  const steps = [Math.ceil(records / 10), records];
  for (const [index, count] of steps.entries()) {
    const from = index === 0 ? 0 : (steps[index - 1] ?? 0);
    await fillSqlite(file, from, count);
    await measure("sqlite", file, count);
    if (server === null) continue;
    await fillPostgres(server, from, count);
    await measure("postgres", server.socket, count);
  }
}
