import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { namePrefixFor } from "@slipway/core";

/** What this machine shows without asking the provider. */
export interface Sight {
  /** Instance id -> how many trees of processes carry its tag. */
  readonly trees: ReadonlyMap<string, number>;
  /** Entries of the instances' directory. */
  readonly directories: readonly string[];
  /** Locks that are held, or left. */
  readonly locks: readonly string[];
}

export function look(stateDirectory: string, owner: string): Sight {
  return {
    trees: taggedTrees(namePrefixFor(owner)),
    directories: entries(join(stateDirectory, "instances")),
    locks: entries(join(stateDirectory, "locks")),
  };
}

/** What is wrong if exactly this instance should be there; null if nothing is. */
export function wrongWith({ trees, directories, locks }: Sight, id: string | null): string | null {
  const expectedTrees = id === null ? "" : `${id}=1`;
  const seenTrees = [...trees].map(([tree, count]) => `${tree}=${count}`).join(" ");
  if (seenTrees !== expectedTrees) return `the process table shows "${seenTrees}", not "${expectedTrees}"`;
  const expected = id === null ? "" : id.slice(0, id.lastIndexOf("-"));
  if (directories.join(" ") !== expected) return `the directories are "${directories.join(" ")}", not "${expected}"`;
  return locks.length === 0 ? null : `locks are left: ${locks.join(", ")}`;
}

function taggedTrees(prefix: string): Map<string, number> {
  const tagged = new Map<number, { readonly id: string; readonly parent: number }>();
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    const id = new RegExp(`SLIPWAY_SANDBOX_ID=(${prefix}[^\\0]*)`).exec(environmentOf(pid))?.[1];
    const stat = text(`/proc/${pid}/stat`);
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (id !== undefined && state !== "Z") tagged.set(Number(pid), { id, parent: Number(parent) });
  }
  const trees = new Map<string, number>();
  for (const { id, parent } of tagged.values()) {
    if (tagged.get(parent)?.id !== id) trees.set(id, (trees.get(id) ?? 0) + 1);
  }
  return trees;
}

// While a process replaces its program, its environment and its arguments read as empty: on a busy machine not only for
// a moment. Those of the kernel's threads, which are in no process group, always do.
const LOOKS = 500;
const clock = new Int32Array(new SharedArrayBuffer(4));

function environmentOf(pid: string): string {
  for (let look = 0; look < LOOKS; look++) {
    const environment = text(`/proc/${pid}/environ`);
    const stat = text(`/proc/${pid}/stat`);
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const starting = state !== undefined && state !== "" && !/[ZX]/.test(state) && group !== "0";
    if (environment !== "" || !starting || text(`/proc/${pid}/cmdline`) !== "") return environment;
    Atomics.wait(clock, 0, 0, 1);
  }
  return "";
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
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
