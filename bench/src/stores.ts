// `npm run bench:stores [-- --quick]`: launches per second and the slowest hundredth, for each store of this machine and for
// PostgreSQL, by 1, 4 and 16 processes that each launch their own keys. Everything is flushed to the disk.
// `-- --reconcile 1000000`: instead, how long a reconcile takes over so many records, and how much memory; fails where that
// grows with the records.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { applyMigrations } from "@slipway/store-postgres";
import { missingServer, startPostgres } from "../../packages/store-postgres/test/server/postgres-server.ts";
import { benchReconcile } from "./reconcile-bench.ts";

const reconcileAt = process.argv.indexOf("--reconcile");
const MOST = 16;
const PROCESSES = [1, 4, MOST];
/** How many times the launches of files PostgreSQL is to make, with the most processes. */
const AIM = 1.5;
const KEYS = process.argv.includes("--quick") ? 160 : 800;
const program = fileURLToPath(new URL("store-launches.ts", import.meta.url));

interface Run {
  readonly began: number;
  readonly ended: number;
  readonly times: readonly number[];
}

interface Launcher {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
}

function start(kind: string, place: string, prefix: string, keys: number): Launcher {
  const args = ["--conditions=@slipway/source", "--no-warnings", program, kind, place, prefix, String(keys)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const reader: Interface = createInterface({ input: child.stdout });
  return { child, lines: reader[Symbol.asyncIterator]() };
}

async function nextLine({ lines }: Launcher): Promise<string> {
  const line = await lines.next();
  if (line.done === true) throw new Error("a process of the bench ended before it answered");
  return line.value;
}

/** Prints the line of one store, and answers its launches per second. */
async function measure(kind: string, place: string, processes: number): Promise<number> {
  const each = Math.ceil(KEYS / processes);
  const launchers = Array.from({ length: processes }, (_value, index) => {
    return start(kind, place, `${processes}-${index}`, each);
  });
  await Promise.all(launchers.map(nextLine));
  for (const { child } of launchers) child.stdin?.write("go\n");
  const runs = await Promise.all(
    // Written by store-launches.ts.
    launchers.map(async (one) => JSON.parse(await nextLine(one)) as Run),
  );
  await Promise.all(
    launchers.map(({ child }) => (child.exitCode === null ? once(child, "exit") : Promise.resolve([]))),
  );
  const seconds = (Math.max(...runs.map(({ ended }) => ended)) - Math.min(...runs.map(({ began }) => began))) / 1000;
  const times = runs.flatMap((run) => run.times).sort((one, other) => one - other);
  const p99 = times[Math.floor(times.length * 0.99)] ?? 0;
  const perSecond = times.length / seconds;
  const rate = perSecond.toFixed(0).padStart(5);
  console.log(
    `${kind.padEnd(9)} ${String(processes).padStart(2)} processes  ${rate} launches/s  p99 ${p99.toFixed(0).padStart(5)} ms`,
  );
  return perSecond;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const directory = await mkdtemp(path.join(tmpdir(), "slipway-bench-stores-"));
const missing = missingServer();
const server = missing === null ? await startPostgres([]) : null;
try {
  if (server !== null) await applyMigrations(server.pool());
  if (reconcileAt > 0) {
    const records = Number(process.argv[reconcileAt + 1] ?? 1_000_000);
    if (!Number.isSafeInteger(records) || records < 10) throw new Error("--reconcile takes a number of records");
    if (!(await benchReconcile(records, directory, server))) process.exitCode = 1;
  }
  for (const processes of reconcileAt > 0 ? [] : PROCESSES) {
    const files = await measure("files", path.join(directory, `files-${processes}`), processes);
    await measure("sqlite", path.join(directory, `store-${processes}.db`), processes);
    if (server === null) continue;
    const ratio = (await measure("postgres", server.socket, processes)) / files;
    if (processes !== MOST) continue;
    console.log(`${ratio >= AIM ? "met   " : "missed"}  postgres against files: ${ratio.toFixed(2)}, at least ${AIM}`);
  }
  if (missing !== null) console.log(`postgres was left out: ${missing}`);
} finally {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
}
