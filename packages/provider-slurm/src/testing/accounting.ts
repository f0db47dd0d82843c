import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export const ACCOUNTING_TOOLS = ["slurmdbd", "mariadbd", "mariadb-install-db", "mariadb", "sacctmgr", "sacct"] as const;

export interface AccountingParts {
  readonly directory: string;
  readonly host: string;
  readonly databasePort: number;
  readonly daemonPort: number;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  readonly until: (what: string, isSo: () => Promise<boolean>) => Promise<void>;
}

/** Starts MariaDB and slurmdbd in the cluster's directory, and makes the cluster known. Munge runs already. */
export async function startAccounting(parts: AccountingParts): Promise<void> {
  const { directory, host, databasePort, daemonPort, env, run, until } = parts;
  const data = join(directory, "db");
  const socket = join(directory, "db.socket");
  const password = randomBytes(16).toString("hex");
  const own = ["--no-defaults", "--user=root", `--datadir=${data}`];
  await run("mariadb-install-db", ...own, "--auth-root-authentication-method=normal", "--skip-test-db");
  const at = [`--socket=${socket}`, `--port=${databasePort}`, "--bind-address=127.0.0.1"];
  const files = [`--pid-file=${directory}/mariadbd.pid`, `--log-error=${directory}/mariadbd.log`];
  // It does not detach by itself; its group is its own, and it is ended by its pid file.
  spawn("mariadbd", [...own, ...at, ...files], { env, detached: true, stdio: "ignore" }).unref();
  const setup = join(directory, "setup.sql");
  await writeFile(
    setup,
    `CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '${password}'; GRANT ALL ON slurm_acct_db.* TO slurm@'127.0.0.1';\n`,
    { mode: 0o600 },
  );
  const sql = (text: string) => run("mariadb", "--no-defaults", "--user=root", `--socket=${socket}`, "-e", text);
  await until("the start of MariaDB", async () => (await sql("SELECT 1")) !== "");
  await sql(`SOURCE ${setup}`);
  await writeFile(
    join(directory, "slurmdbd.conf"),
    `${[
      "AuthType=auth/munge",
      `AuthInfo=socket=${directory}/munge.socket`,
      `DbdHost=${host}`,
      "DbdAddr=127.0.0.1",
      `DbdPort=${daemonPort}`,
      "SlurmUser=root",
      "StorageType=accounting_storage/mysql",
      "StorageHost=127.0.0.1",
      `StoragePort=${databasePort}`,
      "StorageUser=slurm",
      `StoragePass=${password}`,
      "StorageLoc=slurm_acct_db",
      `PidFile=${directory}/slurmdbd.pid`,
      `LogFile=${directory}/slurmdbd.log`,
    ].join("\n")}\n`,
    { mode: 0o600 },
  );
  await run("slurmdbd");
  await until("the start of slurmdbd", async () => {
    await run("sacctmgr", "-n", "show", "cluster");
    return true;
  });
  await run("sacctmgr", "-i", "add", "cluster", "slipway");
}

/** What slurm.conf says of it. sacctmgr and sacct take munge's socket from the password alone. */
export function accountingLines(directory: string, daemonPort: number): readonly string[] {
  return [
    "AccountingStorageType=accounting_storage/slurmdbd",
    "AccountingStorageHost=127.0.0.1",
    `AccountingStoragePort=${daemonPort}`,
    `AccountingStoragePass=${directory}/munge.socket`,
    "AccountingStorageEnforce=associations,limits,qos",
    "AccountingStorageTRES=gres/gpu",
    "AccountingStoreFlags=job_comment",
  ];
}
