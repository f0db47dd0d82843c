import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** Names one process among all that ever ran: a pid alone is used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, as the system tells it; only compared. */
  readonly startTime: string;
  /** Another one after every start of the machine. */
  readonly bootId: string;
  /** In which numbering the pid is meant: containers of one machine each have their own. */
  readonly pidNamespace: string;
  readonly host: string;
  /** Stays over every start of the machine, and is another one on every other machine; empty where there is none. */
  readonly machineId: string;
}

/** `foreign`: it belongs to another machine or container, and cannot be judged from here. */
export type ProcessState = "alive" | "dead" | "foreign";

export interface Processes {
  readonly self: () => Promise<ProcessIdentity>;
  readonly stateOf: (process: ProcessIdentity) => Promise<ProcessState>;
}

/** What the system must tell. `startTimeOf` is null for a process that is gone or has ended and is not yet collected. */
interface ProcessTable {
  /** `UNKNOWN` where there is none. */
  readonly bootId: () => Promise<string>;
  readonly machineId: () => Promise<string>;
  readonly pidNamespace: () => Promise<string>;
  readonly startTimeOf: (pid: number) => Promise<string | null>;
}

const UNKNOWN = "unknown";

/** Judges processes by what a table tells. */
export function processesFrom(table: ProcessTable): Processes {
  let own: Promise<ProcessIdentity> | undefined;
  const self = (): Promise<ProcessIdentity> => {
    own ??= identify(table);
    return own;
  };
  return {
    self,
    stateOf: async (other) => {
      const here = await self();
      // A host name alone is no machine: two of them may have the same one.
      const sameHost = other.host === here.host && other.machineId === here.machineId;
      if (other.bootId !== here.bootId) {
        const bothTold = other.bootId !== UNKNOWN && here.bootId !== UNKNOWN;
        return bothTold && sameHost && here.machineId !== "" ? "dead" : "foreign";
      }
      if (here.bootId === UNKNOWN && !sameHost) return "foreign";
      if (other.pidNamespace !== here.pidNamespace) return "foreign";
      return (await table.startTimeOf(other.pid)) === other.startTime ? "alive" : "dead";
    },
  };
}

async function identify(table: ProcessTable): Promise<ProcessIdentity> {
  const [bootId, machineId, pidNamespace, startTime] = await Promise.all([
    table.bootId(),
    table.machineId(),
    table.pidNamespace(),
    table.startTimeOf(process.pid),
  ]);
  if (startTime === null) throw new Error(`cannot read when process ${process.pid} started`);
  return { pid: process.pid, startTime, bootId, pidNamespace, host: hostname(), machineId };
}

/** Linux, from /proc. */
export const procTable: ProcessTable = {
  // Some sandboxes have no boot id; there a restart is told by the start time alone.
  bootId: async () => (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(nullIfGone))?.trim() ?? UNKNOWN,
  machineId: async () => {
    const text = (await readFile("/etc/machine-id", "utf8").catch(nullIfUnreadable))?.trim() ?? "";
    // An image of a machine that was never started holds another word.
    return /^[0-9a-f]{32}$/.test(text) ? text : "";
  },
  pidNamespace: () => readlink("/proc/self/ns/pid"),
  startTimeOf: async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(nullIfGone);
    if (stat === null) return null;
    // The second field is the program's name in brackets, which may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTime] = [fields[0], fields[19]];
    return state === "Z" || state === "X" || startTime === undefined ? null : startTime;
  },
};

/** Any other failure, as too many open files, says nothing about the process: its lease must not be taken for that. */
function nullIfGone(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ESRCH") return null;
  throw error;
}

/** Not known is not the same: without a machine id nothing of another boot is judged. */
function nullIfUnreadable(): null {
  return null;
}

type Run = (file: string, args: readonly string[]) => Promise<string | null>;

/** macOS and the BSDs, from `ps` and `sysctl`. */
export function psTable(run: Run = runSystemTool): ProcessTable {
  return {
    bootId: async () => (await run("sysctl", ["-n", "kern.bootsessionuuid"]))?.trim() ?? UNKNOWN,
    machineId: async () => (await run("sysctl", ["-n", "kern.uuid"]))?.trim() ?? "",
    pidNamespace: async () => "",
    startTimeOf: async (pid) => {
      const line = (await run("ps", ["-o", "stat=", "-o", "lstart=", "-p", String(pid)]))?.trim() ?? "";
      const [state = "", ...started] = line.split(/\s+/);
      return started.length === 0 || state.startsWith("Z") ? null : started.join(" ");
    },
  };
}

/** Null if the tool ran and failed: `ps` does so for a pid that is not there. Rejects if it could not be run. */
function runSystemTool(file: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // The start time is text: in two locales or time zones one process would look like two.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    execFile(file, args, { env }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (typeof error.code === "number") resolve(null);
      else reject(error);
    });
  });
}

/** Where neither is there, a pid is all there is: one that was used again makes a dead holder look alive. */
const pidTable: ProcessTable = {
  bootId: async () => UNKNOWN,
  machineId: async () => "",
  pidNamespace: async () => "",
  startTimeOf: async (pid) => {
    try {
      process.kill(pid, 0);
      return "running";
    } catch {
      return null;
    }
  },
};

/** The table of this machine. */
export function systemProcesses(platform: NodeJS.Platform = process.platform): Processes {
  if (platform === "linux") return processesFrom(procTable);
  return processesFrom(platform === "win32" ? pidTable : psTable());
}
