import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { namespaceArguments } from "./bubblewrap.ts";
import type { IsolationReport } from "./isolation.ts";
import { SandboxError } from "./layout.ts";

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
