import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Isolation } from "./isolation.ts";

/** Where the sandbox finds its run directory. */
export const RUN_DIRECTORY_INSIDE = "/run/slipway";
/** Where a starting sandbox reads whether its start still counts. */
export const ATTEMPT_INSIDE = "/run/.slipway-attempt";
export const HOME_INSIDE = "/root";

/** What lies where in a sandbox's directory. Everything of a sandbox is in it, so removing it removes all. */
export interface SandboxLayout {
  readonly directory: string;
  /** The root directory that the sandbox sees as `/`, or has as its working directory. */
  readonly root: string;
  /** Shared with the sandbox, which finds it as `$SLIPWAY_RUN_DIR`. What is read here was written by the sandbox: do not trust it. */
  readonly run: string;
  /** What the tree printed; out of its reach. */
  readonly log: string;
  /** What the start itself complained of, before the command began. */
  readonly complaints: string;
  /** bubblewrap's own words on the child and its exit code; out of the sandbox's reach. */
  readonly status: string;
  /** What bubblewrap is told to isolate and to mount. */
  readonly settings: string;
  /** Which start may go on: a command whose start was given up ends itself when it does not find its own name here. */
  readonly attempt: string;
}

export function sandboxLayout(directory: string): SandboxLayout {
  return {
    directory,
    root: join(directory, "root"),
    run: join(directory, "run"),
    log: join(directory, "console.log"),
    complaints: join(directory, "start.log"),
    status: join(directory, "status.json"),
    settings: join(directory, "bubblewrap.args"),
    attempt: join(directory, "attempt"),
  };
}

/** Host directories that are seen read-only inside, where the host has them. */
export const SYSTEM_DIRECTORIES: readonly string[] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix"];

/** Host settings that programs need to find names, certificates and libraries; read-only inside. */
export const SYSTEM_SETTINGS: readonly string[] = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/ca-certificates.conf",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/nsswitch.conf",
  "/etc/os-release",
  "/etc/pki",
  "/etc/protocols",
  "/etc/resolv.conf",
  "/etc/services",
  "/etc/ssl",
];

const OWN_DIRECTORIES: readonly string[] = [
  "etc",
  "home",
  "opt",
  "root",
  "run",
  "srv",
  "tmp",
  "var",
  "var/lib",
  "var/log",
];
const WORLD_WRITABLE: readonly string[] = ["tmp", "var/tmp"];

/**
 * Makes what is missing of the directories and the small files that a machine has; keeps what is there. A root that was
 * copied may hold links that lead out of it: none is followed.
 */
export function prepareRoot(layout: SandboxLayout, isolation: Isolation, hostname: string): void {
  if (!existsSync(layout.directory)) mkdirSync(layout.directory, { mode: 0o700 });
  ensureDirectory(layout.run, 0o700);
  ensureDirectory(layout.root, 0o755);
  for (const name of OWN_DIRECTORIES) ensureDirectory(join(layout.root, name), 0o755);
  for (const name of WORLD_WRITABLE) ensureDirectory(join(layout.root, name), 0o1777);
  if (isolation !== "bubblewrap") return;
  for (const name of ["proc", "dev"]) ensureDirectory(join(layout.root, name), 0o755);
  for (const path of SYSTEM_DIRECTORIES) prepareSystemDirectory(layout.root, path);
  for (const path of SYSTEM_SETTINGS) prepareMountPoint(layout.root, path);
  writeNew(
    join(layout.root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  );
  writeNew(join(layout.root, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
  // These name the machine, so a root that was copied from another gets its own.
  rmSync(join(layout.root, "etc/hostname"), { force: true, recursive: true });
  rmSync(join(layout.root, "etc/hosts"), { force: true, recursive: true });
  writeNew(join(layout.root, "etc/hostname"), `${hostname}\n`);
  writeNew(join(layout.root, "etc/hosts"), `127.0.0.1 localhost ${hostname}\n::1 localhost ${hostname}\n`);
}

/**
 * Makes the place of a mount of ours, as a directory or a file as the host has it. A link that stands there or on the way
 * is replaced: bubblewrap would follow it, and out of the root too.
 */
function prepareMountPoint(root: string, path: string): void {
  // What the host has under the name, links followed: that is what gets mounted.
  const source = statSync(path, { throwIfNoEntry: false });
  if (source === undefined) return;
  makeMountPoint(root, path, source.isDirectory());
}

/** Every part of the way is a directory of the root itself, and the end a directory or an empty file. */
export function makeMountPoint(root: string, path: string, directory: boolean): void {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === "..")) {
    throw new SandboxError("invalid", `${path} cannot be mounted: it is no plain path`);
  }
  let place = root;
  for (const [at, part] of parts.entries()) {
    place = join(place, part);
    if (at < parts.length - 1 || directory) ensureDirectory(place, 0o755);
    else ensureFile(place);
  }
}

/**
 * The place of a mount that a caller asked for, made in the root. Only directories lead to it: throws SandboxError
 * `invalid` for a link on the way, and then nothing was made. The caller sees to it that nothing runs in the root.
 */
export function makeBindTarget(root: string, path: string, directory: boolean): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  const obstacle = obstacleOnTheWay(root, directory ? path : parent);
  if (obstacle !== null) {
    throw new SandboxError("invalid", `${path} cannot be mounted: ${obstacle} in the root is no directory`);
  }
  makeMountPoint(root, path, directory);
}

/** The first part of the way to `path` that is a link or no directory; null if there is none. */
function obstacleOnTheWay(root: string, path: string): string | null {
  let place = root;
  for (const part of path.split("/").filter((word) => word !== "")) {
    place = join(place, part);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (found === undefined) return null;
    if (!found.isDirectory()) return place.slice(root.length);
  }
  return null;
}

function ensureFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return;
  if (found !== undefined) rmSync(path, { force: true, recursive: true });
  writeFileSync(path, "", { flag: "wx" });
}

/** On most systems `/bin` is a link into `/usr`: then the root gets the same link, else a place to mount on. */
function prepareSystemDirectory(root: string, path: string): void {
  const target = linkTarget(path);
  if (target === null) return;
  if (target === "") return ensureDirectory(join(root, path), 0o755);
  rmSync(join(root, path), { force: true, recursive: true });
  symlinkSync(target, join(root, path));
}

/** Where the link leads, empty if it is no link, null if there is nothing. */
export function linkTarget(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  return found.isSymbolicLink() ? readlinkSync(path) : "";
}

function ensureDirectory(path: string, mode: number): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return;
  if (found !== undefined) rmSync(path, { force: true });
  mkdirSync(path);
  // The umask has no say in what a machine's directories are.
  chmodSync(path, mode);
}

/** Exclusive creation follows no link. A file that is there stays. */
function writeNew(path: string, content: string): void {
  try {
    writeFileSync(path, content, { flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

/**
 * Why a sandbox could not do what it was asked. `unsupported`: this machine cannot. `not-started`: it ended before its
 * command began. `gone`: it is not alive. `left-over`: processes of it could not be ended. `aborted`: the signal did.
 * `too-much-output`: a command printed more than was allowed.
 */
export type SandboxErrorReason =
  | "unsupported"
  | "not-started"
  | "gone"
  | "left-over"
  | "aborted"
  | "too-much-output"
  | "no-terminal"
  | "invalid";

/** What every function of this module rejects with, file system errors aside: those keep Node's own `code`. */
export class SandboxError extends Error {
  override readonly name: string = "SandboxError";
  readonly reason: SandboxErrorReason;

  constructor(reason: SandboxErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** The variable by which every process of a sandbox is found. */
export const ID_VARIABLE = "SLIPWAY_SANDBOX_ID";
const START = "SLIPWAY_SANDBOX_START";
const ATTEMPT = "SLIPWAY_SANDBOX_ATTEMPT";
const MACHINE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The entry by which every process of a sandbox is found, also those that left its process group. */
export function idTag(id: string): string {
  return `${ID_VARIABLE}=${id}`;
}

/** The entry that tells the processes of one start, once its command may begin, from those of a start that was given up. */
export function attemptTag(attempt: string): string {
  return `${ATTEMPT}=${attempt}`;
}

/**
 * What a process in the sandbox finds in its environment. Nothing of the caller's own comes along but, without
 * bubblewrap, the PATH by which this host finds its programs: no credential leaks into an instance.
 */
export function sandboxEnvironment(
  id: string,
  layout: SandboxLayout,
  isolation: Isolation,
  own: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const inside = isolation === "bubblewrap";
  return {
    PATH: inside ? MACHINE_PATH : (process.env["PATH"] ?? MACHINE_PATH),
    HOME: inside ? HOME_INSIDE : join(layout.root, "root"),
    TMPDIR: inside ? "/tmp" : join(layout.root, "tmp"),
    USER: inside ? "root" : (process.env["USER"] ?? "root"),
    LANG: "C.UTF-8",
    SHELL: "/bin/sh",
    SLIPWAY_ROOT: inside ? "/" : layout.root,
    SLIPWAY_RUN_DIR: inside ? RUN_DIRECTORY_INSIDE : layout.run,
    ...own,
    [ID_VARIABLE]: id,
  };
}

/** With the attempt as a starting sandbox knows it. It takes the tag itself, when it may begin. */
export function withStart(environment: Record<string, string>, attempt: string): Record<string, string> {
  return { ...environment, [START]: attempt };
}
