import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);

/** A real PostgreSQL in a directory of its own, which listens on a socket there and on no port. */
export interface PostgresServer {
  /** The directory of its socket: `host` for `pg`. */
  readonly socket: string;
  /** The directory of pgbouncer's socket, which stands before it in transaction mode. */
  readonly pooled: string;
  readonly pool: (host?: string) => pg.Pool;
  /** As a crash, and then a start: `immediate` ends every connection without a word. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const DEBIAN = "/usr/lib/postgresql";
const START_MS = 30_000;
const USER = "slipway";

function programsOf(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).filter((version) => /^\d+$/.test(version)) : [];
  const newest = versions.sort((one, other) => Number(other) - Number(one))[0];
  return newest === undefined ? undefined : join(DEBIAN, newest, "bin");
}

const pgbouncer = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find((path) => existsSync(path));

/** What this machine lacks, or null. `SLIPWAY_REQUIRE_TOOLS=1` makes it a failure. */
export function missingServer(): string | null {
  const missing = programsOf() === undefined ? "postgresql" : pgbouncer === undefined ? "pgbouncer" : null;
  if (missing === null) return null;
  if (process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(`${missing} is missing, and must not be`);
  return `${missing} is not installed`;
}

interface Person {
  readonly uid: number;
  readonly gid: number;
}

/** Neither of the two runs as root. */
async function unprivileged(): Promise<Person> {
  const { uid, gid } = userInfo();
  if (uid !== 0) return { uid, gid };
  const idOf = async (flag: string): Promise<number> => Number((await run("id", [flag, "postgres"])).stdout);
  return { uid: await idOf("-u"), gid: await idOf("-g") };
}

export async function startPostgres(settings: readonly string[] = ["fsync=off"]): Promise<PostgresServer> {
  const programs = programsOf();
  if (programs === undefined || pgbouncer === undefined) throw new Error("install postgresql and pgbouncer");
  const person = await unprivileged();
  const directory = await mkdtemp(join(tmpdir(), "slipway-pg-"));
  const data = join(directory, "data");
  await chown(directory, person.uid, person.gid);
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", TZ: "UTC" };
  const as = { ...person, cwd: directory, env };
  await run(join(programs, "initdb"), ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"], as);
  const ini = join(directory, "pgbouncer.ini");
  const pooled = join(directory, "pooled");
  await run("mkdir", [pooled], as);
  await writeFile(join(directory, "users.txt"), `"${USER}" ""\n`);
  await writeFile(
    ini,
    [
      "[databases]",
      `postgres = host=${directory} dbname=postgres`,
      "[pgbouncer]",
      `unix_socket_dir = ${pooled}`,
      "listen_addr =",
      "listen_port = 5432",
      "pool_mode = transaction",
      "default_pool_size = 4",
      "max_client_conn = 200",
      "auth_type = trust",
      `auth_file = ${join(directory, "users.txt")}`,
      "server_login_retry = 0.2",
    ].join("\n"),
  );

  const start = (file: string, args: readonly string[]): ChildProcess =>
    spawn(file, args, { ...as, detached: true, stdio: "ignore" });
  const flags = ["listen_addresses=", `unix_socket_directories=${directory}`, "max_connections=120", ...settings];
  const startServer = async (): Promise<ChildProcess> => {
    const child = start(join(programs, "postgres"), ["-D", data, ...flags.flatMap((flag) => ["-c", flag])]);
    await untilItAnswers(directory, child);
    return child;
  };

  let server = await startServer();
  const pooler = start(pgbouncer, ["-q", ini]);
  const pools: pg.Pool[] = [];
  // Where this program ends before `stop`, they end with it.
  const endBoth = (): void => {
    server.kill("SIGQUIT");
    pooler.kill("SIGTERM");
  };
  process.once("exit", endBoth);
  await untilItAnswers(pooled, pooler);
  return {
    socket: directory,
    pooled,
    pool: (host = directory) => {
      const pool = new pg.Pool({ host, user: USER, database: "postgres", max: 4, connectionTimeoutMillis: 5000 });
      // A restart ends idle connections: that is no failure of anybody's.
      pool.on("error", () => undefined);
      pools.push(pool);
      return pool;
    },
    restart: async () => {
      await end(server, "SIGQUIT");
      server = await startServer();
    },
    stop: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
      await end(pooler, "SIGTERM");
      await end(server, "SIGQUIT");
      process.off("exit", endBoth);
      await rm(directory, { recursive: true });
    },
  };
}

async function untilItAnswers(host: string, child: ChildProcess): Promise<void> {
  for (const until = Date.now() + START_MS; ; ) {
    const client = new pg.Client({ host, user: USER, database: "postgres", connectionTimeoutMillis: 1000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.query("select 1");
      return;
    } catch (error) {
      if (Date.now() > until || child.exitCode !== null) throw error;
      await pause(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  process.kill(child.pid, signal);
  await gone;
  // What it started has its own sessions and ends with it; what has not is in its group.
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
