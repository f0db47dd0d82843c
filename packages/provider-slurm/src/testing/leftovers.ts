import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const DIRECTORY_PREFIX = "slipway-slurm-";
const OWNER_FILE = "started-by";

/** Writes down which process started the cluster in a directory. */
export function recordOwner(directory: string): void {
  writeFileSync(join(directory, OWNER_FILE), identityOf(process.pid) ?? "");
}

/** Ends the clusters whose process is gone, as after `kill -9`. One without a record of its owner is left alone. */
export function endLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(DIRECTORY_PREFIX))) {
    const directory = join(tmpdir(), name);
    const owner = textOf(join(directory, OWNER_FILE));
    if (owner === undefined || owner === "" || identityOf(Number(owner.split(" ")[0])) === owner) continue;
    endProcesses(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Kills what belongs to the cluster in a directory: its daemons, and what runs in its jobs. A client that only has its
 * SLURM_CONF is not among them. A step may start another process meanwhile, so it looks until there is none.
 */
export function endProcesses(directory: string): void {
  for (let look = 0; look < 20; look += 1) {
    const pids = processesOf(directory);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

/** The processes of the cluster in a directory. */
export function processesOf(directory: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongs(pid, directory));
}

const DAEMON = /^(munged|slurmctld|slurmscriptd|slurmd|slurmstepd|slurmdbd|mariadbd)$/;

function belongs(pid: number, directory: string): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  const variables = textOf(`/proc/${pid}/environ`)?.split("\0");
  // One that has ended waits for its parent, and cannot be ended again.
  if (stat === undefined || variables === undefined || stateOf(stat) === "Z") return false;
  if (!variables.includes(`SLURM_CONF=${join(directory, "slurm.conf")}`)) return false;
  const command = /\((.*)\)/s.exec(stat)?.[1] ?? "";
  return DAEMON.test(command) || variables.some((one) => one.startsWith("SLURM_JOB_ID="));
}

const stateOf = (stat: string): string => stat.slice(stat.lastIndexOf(")") + 2).split(" ")[0] ?? "";

/** A number is given again; with the time of its start it is one process. Undefined: there is none. */
function identityOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The 22nd field, and the third is the first behind the name.
  return `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
