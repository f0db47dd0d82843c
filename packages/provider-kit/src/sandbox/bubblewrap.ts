import { spawn } from "node:child_process";
import { accessSync, constants, lstatSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { IsolationReport } from "./isolation.ts";
import {
  ATTEMPT_INSIDE,
  HOME_INSIDE,
  linkTarget,
  RUN_DIRECTORY_INSIDE,
  SandboxError,
  type SandboxLayout,
  SYSTEM_DIRECTORIES,
  SYSTEM_SETTINGS,
} from "./layout.ts";

/** Whether the sandbox is on the host's network, or has nothing but a loopback of its own. */
export type SandboxNetwork = "shared" | "isolated";

/** A directory of the host that the sandbox sees. */
export interface SandboxBind {
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readOnly?: boolean | undefined;
}

// Enough for what root does to its own files and processes. Without SYS_ADMIN nothing can be remounted: with it, a
// process that is root outside too could make the read-only system directories writable.
const CAPABILITIES = ["chown", "dac_override", "fowner", "kill", "net_bind_service", "setgid", "setuid", "sys_chroot"];

/**
 * Own namespaces, and no capability but those of the table. No further namespace of users can be made inside, whoever
 * enters: whoever makes one has every capability in it, and can mount the control groups of the host, whose files belong
 * to the caller.
 */
export function namespaceArguments(options: { readonly hostname: string; readonly network: SandboxNetwork }): string[] {
  return [
    ...[
      "--unshare-user",
      "--disable-userns",
      "--unshare-pid",
      "--unshare-ipc",
      "--unshare-uts",
      "--unshare-cgroup-try",
    ],
    ...(options.network === "isolated" ? ["--unshare-net"] : []),
    ...["--uid", "0", "--gid", "0", "--hostname", options.hostname, "--cap-drop", "ALL"],
    ...CAPABILITIES.flatMap((name) => ["--cap-add", `CAP_${name.toUpperCase()}`]),
  ];
}

/** What the sandbox sees: its root, the host's system directories read-only, own /dev and a /proc that cannot be written, its run directory, its binds. */
export function mountArguments(layout: SandboxLayout, binds: readonly SandboxBind[]): string[] {
  const system = SYSTEM_DIRECTORIES.filter((path) => linkTarget(path) === "");
  return [
    ...["--bind", layout.root, "/"],
    ...system.flatMap((path) => ["--ro-bind", path, path]),
    ...SYSTEM_SETTINGS.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", ...kernelMountArguments(), "--dev", "/dev"],
    ...["--bind", layout.run, RUN_DIRECTORY_INSIDE, "--ro-bind", layout.attempt, ATTEMPT_INSIDE],
    ...binds.flatMap((bind) => [bind.readOnly === true ? "--ro-bind" : "--bind", bind.source, bind.target]),
    ...["--chdir", HOME_INSIDE],
  ];
}

/** `nsenter` and `setpriv` in front of a command: the same namespaces and the same capabilities as the sandbox's own. */
export function enterArguments(
  tools: { readonly setpriv: string },
  pid: number,
  network: SandboxNetwork,
  argv: readonly string[],
): string[] {
  return [
    ...["--target", String(pid), "--user", "--mount", "--pid", "--ipc", "--uts", "--preserve-credentials"],
    ...(network === "isolated" ? ["--net"] : []),
    ...["--", tools.setpriv, `--bounding-set=-all,${CAPABILITIES.map((name) => `+${name}`).join(",")}`],
    ...["--inh-caps=-all", "--no-new-privs", "--"],
    // Entering leaves one in `/`.
    ...["/bin/sh", "-c", 'cd "$HOME" 2>/dev/null; exec "$@"', "sh"],
    ...argv,
  ];
}

// What tells of the machine's memory, keys and timers, or does something to it. The same that container runtimes mask.
const MASKED: ReadonlySet<string> = new Set([
  "acpi",
  "asound",
  "dynamic_debug",
  "interrupts",
  "kallsyms",
  "kcore",
  "key-users",
  "keys",
  "kmsg",
  "kpagecgroup",
  "kpagecount",
  "kpageflags",
  "latency_stats",
  "sched_debug",
  "scsi",
  "slabinfo",
  "sysrq-trigger",
  "timer_list",
  "timer_stats",
  "vmallocinfo",
]);

/**
 * Mounts over everything in `/proc` that is no process: masked, or read-only. bubblewrap leaves `/proc/sys` as it is, and
 * there the owner of a file writes it without any capability: a caller who is root outside would write the host's
 * settings. Read from this kernel's own list, so that a file which a later kernel adds is closed too. Something that is
 * mounted over also keeps a nested namespace from mounting a `/proc` of its own without these.
 */
export function kernelMountArguments(proc = "/proc"): string[] {
  return readdirSync(proc)
    .filter((name) => !/^\d+$/.test(name))
    .flatMap((name) => {
      const path = `${proc}/${name}`;
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined || found.isSymbolicLink()) return [];
      if (MASKED.has(name)) {
        return found.isDirectory() ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", "/dev/null", path];
      }
      return ["--ro-bind", path, path];
    });
}

export interface DetectOptions {
  /** Read for `SLIPWAY_SANDBOX` (`none`, `bubblewrap` or `auto`) and `PATH`. The process's own if absent. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly platform?: NodeJS.Platform | undefined;
}

const TOOL_NAMES = ["bwrap", "nsenter", "setpriv"] as const;
const TOO_OLD = "it is older than 0.8.0 and cannot forbid nested namespaces of users";
const PROBE_TIMEOUT_MS = 10_000;
const reports = new Map<string, Promise<IsolationReport>>();

/**
 * Which isolation is used here. bubblewrap is really started once per process and setting, since a machine may have the
 * program and forbid the namespaces. Throws SandboxError `unsupported` if `SLIPWAY_SANDBOX=bubblewrap` and it does not
 * work, `invalid` if the variable has another value.
 */
export async function detectIsolation(options: DetectOptions = {}): Promise<IsolationReport> {
  const variables = options.variables ?? process.env;
  const wanted = variables["SLIPWAY_SANDBOX"] ?? "auto";
  if (wanted === "none") return without("SLIPWAY_SANDBOX is none");
  if (wanted !== "auto" && wanted !== "bubblewrap" && wanted !== "") {
    throw new SandboxError("invalid", `SLIPWAY_SANDBOX is ${JSON.stringify(wanted)}: use auto, bubblewrap or none`);
  }
  const platform = options.platform ?? process.platform;
  const path = variables["PATH"] ?? "";
  const cached = reports.get(`${platform}\0${path}`) ?? probe(platform, path);
  reports.set(`${platform}\0${path}`, cached);
  const report = await cached;
  if (wanted === "bubblewrap" && report.isolation !== "bubblewrap") {
    throw new SandboxError("unsupported", `SLIPWAY_SANDBOX is bubblewrap, but ${report.reason}`);
  }
  return report;
}

async function probe(platform: NodeJS.Platform, path: string): Promise<IsolationReport> {
  if (platform !== "linux") return without(`bubblewrap needs Linux, and this is ${platform}`);
  const [bwrap, nsenter, setpriv] = TOOL_NAMES.map((name) => findProgram(name, path));
  if (bwrap === undefined) return without("bwrap is not installed (Debian and Fedora: package bubblewrap)");
  if (nsenter === undefined || setpriv === undefined) {
    return without("nsenter and setpriv are not installed (package util-linux)");
  }
  const failure = await tryOut(bwrap);
  return failure === null
    ? { isolation: "bubblewrap", reason: null, tools: { bwrap, nsenter, setpriv } }
    : without(`bwrap does not work here: ${failure}`);
}

function without(reason: string): IsolationReport {
  return { isolation: "process-group", reason, tools: null };
}

function findProgram(name: string, path: string): string | undefined {
  // The usual system directories too: a service's PATH is often short.
  const directories = [...path.split(delimiter), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"];
  return directories
    .filter((directory) => directory.startsWith("/"))
    .map((directory) => join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Null if a real sandbox with the real namespaces ran a command, else why not. */
function tryOut(bwrap: string): Promise<string | null> {
  return new Promise((resolve) => {
    const args = [
      ...namespaceArguments({ hostname: "probe", network: "shared" }),
      ...["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/sh", "-c", "exit 0"],
    ];
    const child = spawn(bwrap, args, { stdio: ["ignore", "ignore", "pipe"], timeout: PROBE_TIMEOUT_MS });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString("utf8")}`.slice(0, 500);
    });
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(null);
      if (/unknown option --disable-userns/i.test(said)) return resolve(TOO_OLD);
      resolve(said.trim().split("\n")[0] || (signal === null ? `it exited with ${code}` : `it was ended by ${signal}`));
    });
  });
}
