import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { abandonedGroups, removeGroups } from "./node/control-groups.ts";

/** A cluster's folder is named by this and the number of its process. */
export const HOME_PREFIX = "slipway-cluster-";

/** Removes what clusters have left whose process was killed. Their servers have ended with it. */
export async function removeLeftovers(): Promise<void> {
  for (const group of abandonedGroups()) await removeGroups(group).catch(() => undefined);
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(HOME_PREFIX) ? /^(\d+)-/.exec(name.slice(HOME_PREFIX.length))?.[1] : undefined;
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    await rm(path.join(tmpdir(), name), { recursive: true, force: true });
  }
}
