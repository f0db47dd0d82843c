import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Clock, systemClock } from "@slipway/core";
import { freePorts } from "@slipway/provider-kit/emulator";
import { ACCOUNTING_TOOLS, startAccounting } from "./accounting.ts";
import { CPU_NODES, GPU_NODES, gresConf, slurmConf } from "./cluster-config.ts";
import { DIRECTORY_PREFIX, endLeftovers, endProcesses, recordOwner } from "./leftovers.ts";

export interface SlurmClusterOptions {
  /** ALL: `sbatch` refuses what a partition does not allow. NO, Slurm's default: such a job waits for ever. */
  readonly enforcePartLimits?: "ALL" | "NO" | undefined;
  /** How long a command waits for the controller, seconds; 10 if absent, as Slurm's own default. */
  readonly messageTimeoutSeconds?: number | undefined;
  /** True: with MariaDB and slurmdbd, so with accounts, QOS and `sacct`. */
  readonly accounting?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

/** A real Slurm on this machine, in a directory of its own. */
export interface SlurmCluster {
  /** For SLURM_CONF, or the provider's `slurmConf`. */
  readonly slurmConf: string;
  readonly directory: string;
  /** The directory that must stand first in PATH where a command loses its answer. */
  readonly lossyPath: string;
  /** Runs one of Slurm's commands as administrator; rejects if it fails. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>;
  /** Stops the controller where it stands: commands wait and time out. */
  readonly pauseController: () => Promise<void>;
  readonly resumeController: () => Promise<void>;
  /** Ends the controller with SIGKILL: it forgets what it has not saved, as much as its last five seconds. */
  readonly killController: () => Promise<void>;
  /** Starts the controller again from its saved state, and waits until it answers. */
  readonly startController: () => Promise<void>;
  readonly setNode: (name: string, state: "down" | "drain" | "idle") => Promise<void>;
  /** Stops a node's daemon where it stands: what ends there stays COMPLETING until it goes on. */
  readonly pauseNode: (name: string) => Promise<void>;
  readonly resumeNode: (name: string) => Promise<void>;
  readonly setPartition: (name: string, state: "UP" | "DOWN" | "DRAIN" | "INACTIVE") => Promise<void>;
  /** Cancels every job and waits until none is left. */
  readonly cancelAll: () => Promise<void>;
  /** Cancels every job, kills every daemon and removes the directory. */
  readonly close: () => Promise<void>;
}

const TOOLS = ["munged", "munge", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "srun", "sinfo"];
const PATIENCE_MS = 30_000;
const LOOK_MS = 100;

/**
 * Why `slurmCluster` cannot start here; undefined if it can.
 *
 * @example
 * ```ts
 * const missing = missingTools();
 * if (missing !== undefined) console.log(missing);
 * ```
 */
export function missingTools({ accounting = false }: Pick<SlurmClusterOptions, "accounting"> = {}): string | undefined {
  const paths = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin`.split(delimiter);
  const missing = [...TOOLS, ...(accounting ? ACCOUNTING_TOOLS : [])].filter(
    (tool) => !paths.some((path) => isExecutable(join(path, tool))),
  );
  if (missing.length > 0) return `not installed: ${missing.join(", ")} (Debian: slurmctld slurmd slurm-client munge)`;
  return process.getuid?.() === 0 ? undefined : "the test cluster needs root";
}

/**
 * Starts munged, slurmctld and six slurmd as root on free ports of the loopback address. It needs no systemd.
 *
 * @example
 * ```ts
 * const cluster = await slurmCluster();
 * try {
 *   console.log(await cluster.run("sinfo"));
 * } finally {
 *   await cluster.close();
 * }
 * ```
 */
export async function slurmCluster(options: SlurmClusterOptions = {}): Promise<SlurmCluster> {
  const { enforcePartLimits = "ALL", messageTimeoutSeconds = 10, accounting = false, clock = systemClock } = options;
  const reason = missingTools({ accounting });
  if (reason !== undefined) throw new Error(`cannot start a Slurm cluster: ${reason}`);
  endLeftovers();
  const directory = await mkdtemp(join(tmpdir(), DIRECTORY_PREFIX));
  recordOwner(directory);
  // munged refuses a directory that others may write to.
  await chmod(directory, 0o755);
  const conf = join(directory, "slurm.conf");
  const nodes = [...CPU_NODES, ...GPU_NODES];
  const [controllerPort = 0, daemonPort = 0, databasePort = 0, ...nodePorts] = await freePorts(nodes.length + 3);
  const host = hostname().split(".")[0] ?? "localhost";
  const accountingPort = accounting ? daemonPort : undefined;
  const limits = { enforcePartLimits, messageTimeoutSeconds };
  const files = { directory, host, controllerPort, nodePorts, ...limits, accountingPort };
  await mkdir(join(directory, "state"));
  for (const node of nodes) await mkdir(join(directory, `spool-${node}`));
  for (const node of GPU_NODES) for (const n of [0, 1]) await writeFile(join(directory, `gpu-${node}-${n}`), "");
  await writeFile(conf, slurmConf(files));
  await writeFile(join(directory, "gres.conf"), gresConf(directory));
  await writeFile(join(directory, "munge.key"), randomBytes(128), { mode: 0o400 });
  const lossyPath = join(directory, "lossy");
  await mkdir(lossyPath);
  await writeFile(join(lossyPath, "sbatch"), '#!/bin/sh\nPATH=${PATH#*:}\nsbatch "$@" >/dev/null 2>&1\nkill -9 $$\n', {
    mode: 0o755,
  });

  const env = { PATH: `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin`, SLURM_CONF: conf, LC_ALL: "C" };
  const run = (program: string, ...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      // The daemons keep no pipe open: they detach with their own log files.
      execFile(program, [...args], { env, timeout: PATIENCE_MS }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${program} ${args[0] ?? ""}: ${stderr || error.message}`)),
      );
    });
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    const end = clock.now() + PATIENCE_MS;
    while (!(await isSo().catch(() => false))) {
      if (clock.now() > end) throw new Error(`the test cluster: ${what} took more than ${PATIENCE_MS / 1000} s`);
      await clock.sleep(LOOK_MS);
    }
  };
  const pidOf = async (daemon: string): Promise<number> =>
    Number((await readFile(join(directory, `${daemon}.pid`), "utf8")).trim());
  const signal = async (daemon: string, name: NodeJS.Signals): Promise<void> => {
    process.kill(await pidOf(daemon), name);
  };
  const cancelAll = async (): Promise<void> => {
    if ((await run("squeue", "-h", "-o", "%i")).trim() === "") return;
    await run("scancel", "--user=root");
    await until("cancelling all jobs", async () => (await run("squeue", "-h", "-o", "%i")).trim() === "");
  };
  const close = async (): Promise<void> => {
    await signal("slurmctld", "SIGCONT").catch(() => undefined);
    await cancelAll().catch(() => undefined);
    // Nobody wants what they would save in an orderly end, and the command that runs this has five seconds.
    endProcesses(directory);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    const munge = [
      "key-file:munge.key",
      "socket:munge.socket",
      "pid-file:munged.pid",
      "log-file:munged.log",
      "seed-file:munge.seed",
    ];
    const words = munge.map((one) => one.split(":")).map(([option, file]) => `--${option}=${directory}/${file}`);
    await run("munged", "--force", ...words);
    await until("munge", async () => (await run("munge", "-n", "-S", `${directory}/munge.socket`)) !== "");
    if (accounting) await startAccounting({ directory, host, databasePort, daemonPort, env, run, until });
    await run("slurmctld", "-i");
    for (const node of nodes) await run("slurmd", "-N", node);
    await until("the start of the nodes", async () => {
      const states = (await run("sinfo", "-h", "-N", "-o", "%N %T")).trim().split("\n");
      return states.length > 0 && states.every((line) => line.endsWith(" idle"));
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    slurmConf: conf,
    directory,
    lossyPath,
    run,
    pauseController: () => signal("slurmctld", "SIGSTOP"),
    resumeController: () => signal("slurmctld", "SIGCONT"),
    killController: async () => {
      const pid = await pidOf("slurmctld");
      process.kill(pid, "SIGKILL");
      await until("the end of slurmctld", async () => !isAlive(pid));
    },
    startController: async () => {
      await run("slurmctld");
      await until("the start of slurmctld", async () => (await run("scontrol", "ping")).includes("UP"));
    },
    setNode: async (name, state) => {
      await run("scontrol", "update", `nodename=${name}`, `state=${state}`, "reason=test");
    },
    pauseNode: (name) => signal(`slurmd-${name}`, "SIGSTOP"),
    resumeNode: (name) => signal(`slurmd-${name}`, "SIGCONT"),
    setPartition: async (name, state) => {
      await run("scontrol", "update", `partitionname=${name}`, `state=${state}`);
    },
    cancelAll,
    close,
  };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
