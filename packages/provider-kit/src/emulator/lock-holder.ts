import { readFile } from "node:fs/promises";

/** Who holds a lock. A pid comes back to another process; with its start and the boot it does not. */
export interface Holder {
  readonly pid: number;
  /** Clock ticks from the boot to the process's start; null where the system does not tell. */
  readonly start: string | null;
  readonly boot: string | null;
}

export async function thisProcess(): Promise<Holder> {
  return { pid: process.pid, start: await startOf(process.pid), boot: await bootId() };
}

/** Is the very process still there? What is not a holder is not. */
export async function isAlive(holder: object): Promise<boolean> {
  const { pid, start, boot } = { pid: undefined, start: null, boot: null, ...holder };
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1) return false;
  if (typeof boot === "string" && boot !== (await bootId())) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not allowed to signal it: then it is there.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return typeof start !== "string" || start === (await startOf(pid));
}

async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces and parentheses itself; what follows it does not.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

async function bootId(): Promise<string | null> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return null;
  }
}
