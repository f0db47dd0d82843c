import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { confineCommand, readFileInside } from "@slipway/provider-kit/sandbox";
import { Refusal } from "./answer.ts";
import type { Daemon } from "./daemon.ts";
import { hostPath, isolationOf, layoutOf } from "./machine-root.ts";

const COPY_MS = 120_000;
/** A file up to this is copied by this process itself: to start programs for it costs much more. */
const SMALL_BYTES = 64 * 1024;

interface Ended {
  readonly exitCode: number;
  readonly stderr: string;
}

/**
 * Node's own and no command runner, which is most of what a process of the emulated command would read at its start.
 * Rejects where the program could not be started or did not end in time.
 */
function run(file: string, args: readonly string[]): Promise<Ended> {
  const { PATH } = process.env;
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: COPY_MS, env: { PATH, LC_ALL: "C" } }, (error, _stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stderr });
      else if (typeof error.code === "number") resolve({ exitCode: error.code, stderr });
      else reject(error);
    });
  });
}

/**
 * Runs a program of this host on something of it that is read, and a directory that is written: it sees nothing else. A
 * machine that runs may make a link of any directory after it was looked at. Without bubblewrap a machine reads the
 * host's files by itself, and is no such boundary. Answers what it complained of, null if all is well.
 */
async function runOn(
  daemon: Daemon,
  from: string,
  to: string,
  argvFor: (from: string, to: string) => readonly string[],
): Promise<readonly string[] | null> {
  const { tools } = await isolationOf();
  const [source, target] = [join("/source", basename(from)), "/target"];
  const [file = "", ...args] = tools === null ? argvFor(from, to) : argvFor(source, target);
  const binds = [
    { source: from, target: source, readOnly: true },
    { source: to, target },
  ];
  const command = tools === null ? ([file, args] as const) : confineCommand(tools, binds, [file, ...args]);
  const { exitCode, stderr } = await daemon.real(() => run(...command));
  return exitCode === 0 ? null : stderr.trim().split("\n");
}

/** As `cp` says it, of the path that was asked for. */
function refused(path: string, complaints: readonly string[] | null): void {
  const [first] = complaints ?? [];
  if (first !== undefined) throw new Refusal(`cp: ${path}: ${first.slice(first.lastIndexOf(": ") + 1).trim()}`);
}

/** Copies a file or directory of a machine to this host: into the target if that is a directory. */
export async function copyOut(daemon: Daemon, id: string, source: string, target: string): Promise<void> {
  const layout = layoutOf(daemon.directory, id);
  const from = hostPath(layout, source);
  if (from === null || !existsSync(from)) throw new Refusal(`cp: ${source}: No such file or directory`);
  const isInto = existsSync(target) && statSync(target).isDirectory();
  const folder = resolve(isInto ? target : dirname(target));
  mkdirSync(folder, { recursive: true });
  const [path, name] = [relative(layout.root, from), isInto ? "." : basename(target)];
  if (isSmallCopied(layout.root, path, isInto ? join(folder, basename(from)) : join(folder, name))) return;
  const argvFor = (root: string, to: string): readonly string[] => [
    "cp",
    "-RH",
    "--",
    join(root, path),
    `${to}/${name}`,
  ];
  refused(source, await runOn(daemon, layout.root, folder, argvFor));
}

/** Copies a small file of a machine to where nothing is, following no link. False for any other: that is the work of `cp`. */
function isSmallCopied(root: string, path: string, target: string): boolean {
  const found = readFileInside(root, path);
  if (found === null || found.content.length > SMALL_BYTES) return false;
  try {
    writeFileSync(target, found.content, { flag: "wx", mode: found.mode });
    return true;
  } catch {
    return false;
  }
}

/** Copies a file or directory of this host to a machine: into the target if that is a directory. */
export async function copyIn(daemon: Daemon, id: string, source: string, target: string): Promise<void> {
  const layout = layoutOf(daemon.directory, id);
  const to = hostPath(layout, target);
  if (to === null) throw new Refusal(`cp: ${target}: Permission denied`);
  if (!existsSync(source)) throw new Refusal(`cp: ${source}: No such file or directory`);
  mkdirSync(layout.root, { recursive: true });
  const [from, path] = [resolve(source), relative(layout.root, to)];
  const folder = dirname(path);
  refused(target, await runOn(daemon, from, layout.root, (_from, root) => ["mkdir", "-p", "--", join(root, folder)]));
  refused(target, await runOn(daemon, from, layout.root, (file, root) => ["cp", "-RH", "--", file, join(root, path)]));
}

// What the sandbox makes anew at each start, links into this host's system among it, and what does not survive a stop.
const NOT_COPIED: ReadonlySet<string> = new Set([
  "tmp",
  "proc",
  "dev",
  "run",
  "bin",
  "sbin",
  "lib",
  "lib32",
  "lib64",
  "usr",
  "nix",
]);

// What a program inside took away or replaced in the moment of its copy is left out.
const IN_USE =
  /: (No such file or directory|Not a directory|Too many levels of symbolic links)$|as it was replaced while/;

/** A copy of another machine's files, but for `/tmp`. */
export async function copyRoot(daemon: Daemon, from: string, to: string): Promise<void> {
  const [source, target] = [layoutOf(daemon.directory, from).root, layoutOf(daemon.directory, to).root];
  mkdirSync(target, { recursive: true });
  if (!existsSync(source)) return;
  const names = readdirSync(source).filter((name) => !NOT_COPIED.has(name));
  if (names.length === 0) return;
  const argvFor = (root: string, copy: string): readonly string[] => [
    ...["cp", "-a", "--"],
    ...names.map((name) => join(root, name)),
    copy,
  ];
  const complaints = (await runOn(daemon, source, target, argvFor)) ?? [];
  const bad = complaints.find((line) => !IN_USE.test(line));
  if (bad !== undefined) throw new Refusal(`[fake] the machine could not be copied: ${bad}`);
}
