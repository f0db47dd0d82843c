import { existsSync, readdirSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import path from "node:path";

const ROOT = "/sys/fs/cgroup";
const GONE_MS = 20_000;

/** The hierarchies of this machine; the newer kind is one hierarchy, and not tried here. */
export function hierarchies(): readonly string[] {
  if (!existsSync(ROOT) || existsSync(path.join(ROOT, "cgroup.controllers"))) return [];
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(ROOT, entry.name, "cgroup.procs")))
    .map((entry) => path.join(ROOT, entry.name));
}

/** One group of that name in each hierarchy, and nothing else, is where pods have theirs. */
export async function makeGroups(name: string): Promise<void> {
  for (const hierarchy of hierarchies()) await mkdir(path.join(hierarchy, name));
}

/** The groups of nodes whose process is gone, as after `kill -9`: their names begin with its number. */
export function abandonedGroups(): readonly string[] {
  const names = hierarchies().flatMap((hierarchy) => readdirSync(hierarchy));
  return [...new Set(names)].filter((name) => {
    const pid = /^slipway-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
}

/** Removes them with all that the pods have left below. Processes may need a moment to leave. */
export async function removeGroups(name: string): Promise<void> {
  const until = performance.now() + GONE_MS;
  for (const hierarchy of hierarchies()) {
    const group = path.join(hierarchy, name);
    while (existsSync(group)) {
      try {
        await removeTree(group);
      } catch (error) {
        if (performance.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}

async function removeTree(group: string): Promise<void> {
  for (const entry of await readdir(group, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(path.join(group, entry.name));
  }
  await rmdir(group);
}
