import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { ProcessRow, ProcessSight, ProcessTable } from "./ps-process-table.ts";

// How often a process that is replacing its program is looked at again, a millisecond apart: on a busy machine it may
// have to wait for its turn in the middle of it.
const LOOKS = 200;

/** Reads procfs. Synchronous on purpose: each file is a page of kernel memory, and a thread hop costs more than the read. */
export function linuxProcessTable(proc = "/proc"): ProcessTable {
  const row = (pid: number): ProcessRow | null => {
    const stat = readOrNull(`${proc}/${pid}/stat`);
    return stat === null ? null : parseStat(pid, stat);
  };
  const pids = (): number[] =>
    readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  // Its environment reads as empty: has it none, or none yet? Each program has its own place for one: a process that had
  // an empty one, and has the same at the next look, has none. Nor has a zombie, or a thread of the kernel's own, which is
  // in no process group.
  const isStarting = (pid: number, places: Map<number, string>): boolean => {
    const stat = readOrNull(`${proc}/${pid}/stat`);
    const found = stat === null ? null : parseStat(pid, stat);
    if (stat === null || found === null || found.zombie || found.group === 0) return false;
    const [before, place] = [places.get(pid), emptyPlace(stat)];
    if (place !== null) places.set(pid, place);
    return place === null || place !== before;
  };
  const outputsOf = (pid: number): string[] =>
    [1, 2].map((fd) => linkOrNull(`${proc}/${pid}/fd/${fd}`)).filter((path) => path !== null);
  return {
    bootId: async () => readFileSync(`${proc}/sys/kernel/random/boot_id`, "utf8").trim(),
    namespace: () => readlinkSync(`${proc}/self/ns/pid`),
    startTime: async (pid) => {
      const found = row(pid);
      return found === null || found.zombie ? null : found.startTime;
    },
    rows: async () =>
      pids()
        .map(row)
        .filter((found) => found !== null),
    withEnvironment: async (entries) => {
      const found: number[] = [];
      const places = new Map<number, string>();
      let unread = pids();
      for (let look = 0; unread.length > 0 && look < LOOKS; look++) {
        if (look > 0) await pause(1);
        const again: number[] = [];
        for (const pid of unread) {
          const environment = readOrNull(`${proc}/${pid}/environ`);
          if (environment === "" && isStarting(pid, places)) again.push(pid);
          else if (environment !== null && holds(environment, entries)) found.push(pid);
        }
        unread = again;
      }
      return found.sort((a, b) => a - b);
    },
    everything: async (variable) => {
      const sights: ProcessSight[] = [];
      const seen = new Set<number>();
      const places = new Map<number, string>();
      let starting: readonly number[] = [];
      // One that ended before it was read may have begun another, which this list lacks: until there is nothing new. Never
      // for ever: on a machine where others start programs all the time there is always something new.
      for (let look = 0; ; look++) {
        const fresh = pids().filter((pid) => !seen.has(pid));
        if (fresh.length + starting.length === 0) return sights;
        for (const pid of fresh) seen.add(pid);
        const again: number[] = [];
        for (const pid of [...starting, ...fresh]) {
          const found = row(pid);
          if (found === null) continue;
          const bare = found.zombie || found.group === 0;
          const environment = bare ? null : readOrNull(`${proc}/${pid}/environ`);
          if (environment === "" && isStarting(pid, places) && look < LOOKS) again.push(pid);
          else sights.push({ ...found, tag: valueIn(environment, variable), outputs: bare ? [] : outputsOf(pid) });
        }
        if (look >= LOOKS) return sights;
        starting = again;
        if (starting.length > 0) await pause(1);
      }
    },
  };
}

function valueIn(environment: string | null, variable: string): string | null {
  if (environment === null) return null;
  const entries = `\0${environment}`;
  const at = entries.indexOf(`\0${variable}=`);
  if (at === -1) return null;
  const [value = ""] = entries.slice(at + variable.length + 2).split("\0", 1);
  return value;
}

function holds(environment: string, entries: readonly string[]): boolean {
  const there = new Set(environment.split("\0"));
  return entries.every((entry) => there.has(entry));
}

/** From the third field of proc_pid_stat(5) on: the name before stands in parentheses and may hold spaces and more of them. */
function fieldsOf(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Where an environment without room lies, by fields 50 and 51; null for any other. Both are 0 while a program is replaced. */
function emptyPlace(stat: string): string | null {
  const [begin = "0", end = "0"] = fieldsOf(stat).slice(47);
  return begin !== "0" && begin === end ? begin : null;
}

function parseStat(pid: number, stat: string): ProcessRow | null {
  const fields = fieldsOf(stat);
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || group === undefined || startTime === undefined) return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    startTime,
    zombie: state === "Z" || state === "X",
  };
}

function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

// `readFileSync` takes 64 KiB anew for each file whose size it does not know: a walk over all processes did little else than
// collect them again. What is read is made a text before anything else is read, so that one place does for all.
let bytes = Buffer.allocUnsafeSlow(16 * 1024);

/** Null if the process ended meanwhile, or belongs to somebody else. */
function readOrNull(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    for (let length = 0; ; ) {
      if (length === bytes.length) bytes = Buffer.concat([bytes], 2 * length);
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.toString("latin1", 0, length);
      length += read;
    }
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}
