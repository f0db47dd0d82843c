import { readdirSync } from "node:fs";
import { join } from "node:path";
import { namePrefixFor } from "@slipway/core";
import { taggedProcesses } from "../test/machine-inspector.ts";

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
  const tagged = taggedProcesses().filter(({ id }) => id.startsWith(prefix));
  const idOf = new Map(tagged.map(({ pid, id }) => [pid, id]));
  const trees = new Map<string, number>();
  for (const { id, parent } of tagged) {
    if (idOf.get(parent) !== id) trees.set(id, (trees.get(id) ?? 0) + 1);
  }
  return trees;
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
