import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);
const DEBIAN = "/usr/lib/postgresql";
const START_MS = 60_000;

/** Debian's PostgreSQL, or undefined. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).filter((version) => /^\d+$/.test(version)) : [];
  const newest = versions.toSorted((one, other) => Number(other) - Number(one))[0];
  return newest === undefined ? undefined : join(DEBIAN, newest, "bin");
}

export interface Database {
  readonly pool: pg.Pool;
  /** As a crash, and then a start. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A real PostgreSQL on port 5432 of every address, for the hosts of a network: only where that is a namespace of its own. */
export async function startDatabase(network: string): Promise<Database> {
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error("install postgresql");
  const idOf = async (flag: string): Promise<number> => Number((await run("id", [flag, "postgres"])).stdout);
  const person = { uid: await idOf("-u"), gid: await idOf("-g") };
  const directory = await mkdtemp(join(tmpdir(), "slipway-fleet-pg-"));
  await chown(directory, person.uid, person.gid);
  const data = join(directory, "data");
  const as = { ...person, cwd: directory, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", TZ: "UTC" } };
  await run(join(programs, "initdb"), ["-D", data, "-U", "slipway", "-A", "trust", "-E", "UTF8", "--no-sync"], as);
  await writeFile(join(data, "pg_hba.conf"), `local all all trust\nhost all all ${network} trust\n`);
  const settings = ["listen_addresses=*", `unix_socket_directories=${directory}`, "fsync=off"];
  const flags = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  const pool = new pg.Pool({ host: directory, user: "slipway", database: "postgres", connectionTimeoutMillis: 5000 });
  // A restart ends idle connections.
  pool.on("error", () => undefined);

  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(programs, "postgres"), flags, { ...as, detached: true, stdio: "ignore" });
    for (const until = Date.now() + START_MS; ; await pause(50)) {
      const isUp = await pool.query("select 1").then(
        () => true,
        () => false,
      );
      if (isUp) return child;
      if (Date.now() > until || child.exitCode !== null) throw new Error("PostgreSQL does not start");
    }
  };
  const end = async (child: ChildProcess): Promise<void> => {
    const gone = once(child, "exit");
    child.kill("SIGQUIT");
    await gone;
  };
  let server = await start();
  return {
    pool,
    restart: async () => {
      await end(server);
      server = await start();
    },
    stop: async () => {
      await pool.end();
      await end(server);
      await rm(directory, { recursive: true });
    },
  };
}
