import { execFile } from "node:child_process";

/** Runs a program and answers what it printed; an exit code other than 0 rejects. */
export type RunForText = (file: string, args: readonly string[]) => Promise<string>;

const run: RunForText = (file, args) =>
  new Promise((resolve, reject) => {
    const options = { env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" }, maxBuffer: 64 * 1024 * 1024 };
    execFile(file, [...args], options, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });

// lstart is five words: `Fri Nov 20 23:42:01 2026`.
const ROW = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)/;

/** Asks `ps` and `sysctl`, as there is no procfs on macOS and the BSDs. */
export function psProcessTable(exec: RunForText = run): ProcessTable {
  const rows = async (): Promise<ProcessRow[]> => {
    const text = await exec("ps", ["-axo", "pid=,ppid=,pgid=,stat=,lstart="]);
    return text
      .split("\n")
      .map(parseRow)
      .filter((row) => row !== null);
  };
  // `-E` prints the environment after the command, of the caller's own processes.
  const environments = async (): Promise<{ readonly pid: number; readonly words: readonly string[] }[]> =>
    (await exec("ps", ["-axwwEo", "pid=,command="]))
      .split("\n")
      .map((line) => ({ pid: Number.parseInt(line, 10), words: line.trim().split(/\s+/) }));
  return {
    bootId: async () => (await exec("sysctl", ["-n", "kern.boottime"])).trim(),
    namespace: () => "host",
    startTime: async (pid) => {
      // `ps -p` fails where there is no such process, as it does where it cannot run: the whole list tells them apart.
      const found = (await rows()).find((row) => row.pid === pid);
      return found === undefined || found.zombie ? null : found.startTime;
    },
    rows,
    everything: async (variable) => {
      const begins = `${variable}=`;
      const tags = new Map(
        (await environments()).map(({ pid, words }) => [pid, words.find((word) => word.startsWith(begins))]),
      );
      // After the environments: what began between the two is told by its parent.
      return (await rows()).map((row) => ({
        ...row,
        tag: tags.get(row.pid)?.slice(begins.length) ?? null,
        outputs: [],
      }));
    },
    withEnvironment: async (entries) =>
      (await environments())
        .filter(({ words }) => entries.every((entry) => words.includes(entry)))
        .map(({ pid }) => pid),
  };
}

function parseRow(line: string): ProcessRow | null {
  const match = ROW.exec(line);
  if (match === null) return null;
  const [, pid, parent, group, state, startTime] = match;
  return {
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    startTime: startTime?.replace(/\s+/g, " ") ?? "",
    zombie: state?.startsWith("Z") === true,
  };
}

/** One process of this machine. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** When it began, in the table's own unit: only to be compared for equality. */
  readonly startTime: string;
  /** It has ended and waits for its parent to read how. */
  readonly zombie: boolean;
}

/** One process, and what tells whose it is. */
export interface ProcessSight extends ProcessRow {
  /** The value of the asked variable in its environment at its start; null without it. */
  readonly tag: string | null;
  /** The files that its standard output and error go to; none where the system does not tell. */
  readonly outputs: readonly string[];
}

/** This machine's processes, read live. */
export interface ProcessTable {
  /** Another value after every restart of the machine. */
  readonly bootId: () => Promise<string>;
  /** Which set of process ids this is; two processes that see different sets cannot judge each other's ids. */
  readonly namespace: () => string;
  /** Null if there is no such process, or it is a zombie. */
  readonly startTime: (pid: number) => Promise<string | null>;
  readonly rows: () => Promise<readonly ProcessRow[]>;
  /** The ids of processes whose environment at their start held all these `NAME=value` entries. */
  readonly withEnvironment: (entries: readonly string[]) => Promise<readonly number[]>;
  /** Every process, those too that began while the others were read. */
  readonly everything: (variable: string) => Promise<readonly ProcessSight[]>;
}
