import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A started command, as far as ending it goes. */
export interface ProcessGroup {
  readonly pid: number;
  /** To the whole group; false if there was nobody to signal. */
  readonly signal: (name: "SIGTERM" | "SIGKILL") => boolean;
  readonly hasExited: () => boolean;
}

const POLL_MS = 20;
// SIGKILL cannot be ignored, but a process that hangs in the kernel takes it late; the call does not wait for that.
const AFTER_KILL_MS = 2000;

/**
 * SIGTERM to the whole group, and SIGKILL to what is left of it when the grace is over. Resolves when the group is gone,
 * or has been killed. Real time, whatever clock the runner has: the processes live in it.
 */
export async function endGroup(group: ProcessGroup, graceMs: number): Promise<void> {
  const isGone = (): boolean => group.hasExited() && !isAnyoneLeft(group.pid);
  group.signal("SIGTERM");
  if (await becomesTrue(isGone, graceMs)) return;
  group.signal("SIGKILL");
  await becomesTrue(group.hasExited, AFTER_KILL_MS);
}

function isAnyoneLeft(pid: number): boolean {
  if (process.platform === "win32") return false;
  try {
    // Signal 0 asks only. While a member lives, its group's number is not given to anyone else.
    process.kill(-pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return process.platform !== "linux" || hasLivingMember(pid);
}

// The dead count as members until their new parent collects them, which the first process of a container may never do.
function hasLivingMember(group: number): boolean {
  try {
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const [state, , processGroup] = statFields(entry);
      if (Number(processGroup) === group && state !== "Z" && state !== "X") return true;
    }
    return false;
  } catch {
    return true;
  }
}

function statFields(entry: string): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
    // The program's name stands in parentheses, and may hold spaces and parentheses itself.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

async function becomesTrue(condition: () => boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() >= end) return false;
    await sleep(POLL_MS);
  }
  return true;
}
