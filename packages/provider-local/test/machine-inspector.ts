import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InspectedInstance, Inspector } from "@slipway/contract-tests";

/** A process with an instance's tag, as procfs tells. */
export interface TaggedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly id: string;
}

/**
 * Every process that carries the tag of a sandbox, read from the process table and nothing of ours. procfs is no picture
 * of one moment, and lists by name (10000 before 9999): a child that was read before its parent, where both ended between,
 * would stand there without one, as a second tree. So parents are read last, and the older process first.
 */
export function taggedProcesses(): readonly TaggedProcess[] {
  const pids = entries("/proc").map(Number).filter(Number.isInteger);
  const tagged = pids
    .sort((a, b) => a - b)
    .flatMap((pid) => {
      const id = /(?:^|\0)SLIPWAY_SANDBOX_ID=([^\0]*)/.exec(environmentOf(pid))?.[1];
      return id === undefined ? [] : [{ pid, id }];
    });
  return tagged.flatMap(({ pid, id }) => {
    const [state = "", parent] = fieldsOf(pid);
    return isLive(state) ? [{ pid, parent: Number(parent), id }] : [];
  });
}

// While a process replaces its program, its environment and its arguments read as empty: on a busy machine not only for
// a moment. Those of the kernel's threads, which are in no process group, always do.
const LOOKS = 500;
const clock = new Int32Array(new SharedArrayBuffer(4));

function environmentOf(pid: number): string {
  for (let look = 0; look < LOOKS; look++) {
    const environment = text(`/proc/${pid}/environ`);
    const [state = "", , group] = fieldsOf(pid);
    const starting = isLive(state) && group !== "0";
    if (environment !== "" || !starting) return environment;
    // One that has arguments has its environment too: it was only read too early, unless it has none.
    if (text(`/proc/${pid}/cmdline`) !== "") return text(`/proc/${pid}/environ`);
    Atomics.wait(clock, 0, 0, 1);
  }
  return "";
}

function isThere(pid: number): boolean {
  const [state = ""] = fieldsOf(pid);
  return isLive(state);
}

/** State, parent, process group, …; nothing of a process that has ended. The name in parentheses may hold anything. */
function fieldsOf(pid: number): readonly string[] {
  const stat = text(`/proc/${pid}/stat`);
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function isLive(state: string): boolean {
  return state !== "" && state !== "Z" && state !== "X";
}

export function processesOf(id: string): readonly number[] {
  return taggedProcesses()
    .filter((process) => process.id === id)
    .map(({ pid }) => pid);
}

let unmanagedCount = 0;

/** Looks at the process table and the directories, never through the provider. */
export function machineInspector(stateDirectory: string, instancesDirectory: () => string): Inspector {
  const place = (kind: string, name = ""): string =>
    join(kind === "instances" ? instancesDirectory() : join(stateDirectory, kind), name);
  return {
    instances: async () => {
      const live = new Set(taggedProcesses().map(({ id }) => id));
      return entries(place("instances")).map((name) => inspected(place("instances", name), name, live));
    },
    snapshots: async () => entries(place("snapshots")),
    volumes: async () => entries(place("volumes")),
    addUnmanaged: async (name = `unmanaged-${++unmanagedCount}`) => {
      mkdirSync(place("instances", name), { recursive: true });
      writeFileSync(join(place("instances", name), "theirs"), "untouched");
      return name;
    },
    hasUnmanaged: async (name) => text(join(place("instances", name), "theirs")) === "untouched",
    crash,
  };
}

/** Ends all processes of an instance, as a crash would, and waits until they are gone. */
export async function crash(id: string): Promise<void> {
  const killed = new Set<number>();
  // A process that is ending shows no environment any more, though it is still there.
  for (let left = processesOf(id); left.length > 0; left = [...processesOf(id), ...[...killed].filter(isThere)]) {
    // At once, as a crash is: one that outlives another by a moment would still print what became of it.
    for (const pid of left) kill(pid, "SIGSTOP");
    for (const pid of left) {
      killed.add(pid);
      kill(pid);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function inspected(directory: string, name: string, live: ReadonlySet<string>): InspectedInstance {
  const record = text(join(directory, "record.json"));
  // An unmanaged machine, or something that nobody should have left: it is there, so it counts.
  if (record === "") return { nativeId: name, owner: null, key: null, live: true };
  const { id, owner, key } = JSON.parse(record) as { id: string; owner: string; key: string };
  return { nativeId: id, owner, key, live: live.has(id) };
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
