// Ends a child and all that it started. It leads a session of its own; pnpm and turbo make further groups in there.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const WINDOWS = process.platform === "win32";

/** Asks the child's group to end. pnpm and turbo tell it on to the groups that they made. */
export function ask(child, signal) {
  if (WINDOWS) killSession(child);
  else if (child.pid !== undefined) send(-child.pid, signal);
}

/** A leader may end before those it started: they get the same time to clean up, and are killed then. */
export async function sessionEnds(child, graceMs) {
  for (const deadline = performance.now() + graceMs; performance.now() < deadline; await setTimeout(20)) {
    if (members(child).length === 0) return;
  }
  killSession(child);
}

export function killSession(child) {
  if (child.pid === undefined) return;
  if (WINDOWS) spawnSync("taskkill", ["/pid", String(child.pid), "/t", "/f"]);
  else for (const target of [-child.pid, ...members(child)]) send(target, "SIGKILL");
}

/** Who still runs in the child's session. Who has ended and only waits to be collected does not count. */
function members({ pid }) {
  if (pid === undefined || WINDOWS) return [];
  const running = process.platform === "linux" ? fromProc() : fromPs();
  return running.filter(({ group, session }) => group === pid || session === pid).map((member) => member.pid);
}

/** A small Debian has no `ps`. */
function fromProc() {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The name of the program stands in parentheses and may hold anything.
      const [state, , group, session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state === "Z" ? [] : [{ pid: Number(name), group: Number(group), session: Number(session) }];
    } catch {
      return [];
    }
  });
}

/** macOS says no session numbers; groups are what can be seen. */
function fromPs() {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,pgid=,stat="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line) => {
    const [pid, group, state = ""] = line.trim().split(/\s+/);
    return state === "" || state.startsWith("Z") ? [] : [{ pid: Number(pid), group: Number(group) }];
  });
}

function send(target, signal) {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended by itself.
  }
}
