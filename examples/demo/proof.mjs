// Looks at the machine without Slipway: at the process table and at the disk.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * What runs for this directory: every process whose command line, environment or open files name it, and their
 * descendants. Those in `before` count too as long as they are the same process. As `pid command`.
 */
export function processesOf(directory, before = []) {
  const table = process.platform === "linux" ? fromProc(directory) : fromPs(directory);
  const found = new Set(table.filter((row) => row.names || before.includes(row.text)).map(({ pid }) => pid));
  for (let grown = true; grown; ) {
    const size = found.size;
    for (const { pid, parent } of table) if (found.has(parent)) found.add(pid);
    grown = found.size > size;
  }
  // This program names the directory nowhere but in its memory; what it starts to look is gone by now.
  return table.filter(({ pid }) => pid !== process.pid && found.has(pid)).map(({ text }) => text);
}

function fromProc(directory) {
  const rows = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const read = (file) => {
      try {
        return readFileSync(`/proc/${name}/${file}`, "utf8");
      } catch {
        // It ended meanwhile, or is another user's.
        return "";
      }
    };
    const stat = read("stat");
    if (stat === "") continue;
    // The name in parentheses may hold anything; the fields stand behind the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, parent] = fields;
    // A zombie has ended: it waits for its parent to read its exit code.
    if (state === "Z" || state === "X") continue;
    const command =
      read("cmdline").replaceAll("\0", " ").trim() || stat.slice(stat.indexOf("("), stat.lastIndexOf(")") + 1);
    const names = [command, read("environ"), read("mountinfo"), ...links(name)].some((text) =>
      text.includes(directory),
    );
    // With its start time: a pid that comes again is another process.
    rows.push({ pid: Number(name), parent: Number(parent), names, text: `${name} ${command} (start ${fields[19]})` });
  }
  return rows;
}

function links(pid) {
  return ["cwd", "root", "exe"].map((file) => {
    try {
      return readlinkSync(`/proc/${pid}/${file}`);
    } catch {
      return "";
    }
  });
}

function fromPs(directory) {
  const lines = execFileSync("ps", ["-axwwE", "-o", "pid=,ppid=,stat=,lstart=,command="], { encoding: "utf8" }).split(
    "\n",
  );
  return lines.flatMap((line) => {
    const [, pid, parent, state, rest] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || state.startsWith("Z") || rest.includes("ps -axwwE")) return [];
    return [{ pid: Number(pid), parent: Number(parent), names: rest.includes(directory), text: `${pid} ${rest}` }];
  });
}

/** Every directory below the provider's shelves: an instance and a snapshot are a directory each. */
export function leftoversIn(directory) {
  const shelves = existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : [];
  return shelves
    .filter((shelf) => shelf.isDirectory())
    .flatMap((shelf) => readdirSync(join(directory, shelf.name), { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(relative(directory, entry.parentPath), entry.name));
}

/** Takes the demo's own directory away: is it gone? */
export function removed(directory) {
  rmSync(directory, { recursive: true, force: true });
  return !existsSync(directory);
}
