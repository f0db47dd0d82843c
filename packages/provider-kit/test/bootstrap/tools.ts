import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface Tool {
  readonly name: string;
  /** Why the cases that need it are skipped; null if it is there. */
  readonly missing: string | null;
}

/**
 * Looks for a program on the PATH. Where it is missing its cases are skipped with the reason, unless
 * SLIPWAY_REQUIRE_TOOLS=1 says that a machine that lacks it is a failure.
 */
export function tool(name: string): Tool {
  try {
    execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name], { stdio: "ignore" });
    return { name, missing: null };
  } catch {
    const missing = `${name} is not installed`;
    if (process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(`${missing}, and SLIPWAY_REQUIRE_TOOLS is set`);
    return { name, missing };
  }
}

/** Where a program is. */
export function pathOf(name: string): string {
  return execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", name]).toString().trim();
}

/** A shell that may stand behind /bin/sh somewhere, and the PATH that its commands come from. */
export interface Shell {
  readonly name: string;
  readonly missing: string | null;
  readonly argv: () => readonly string[];
  readonly path: () => string;
}

const APPLETS = [
  "base64",
  "cat",
  "chmod",
  "date",
  "flock",
  "grep",
  "id",
  "mkdir",
  "mv",
  "rm",
  "sha256sum",
  "sh",
  "sysctl",
];

const busybox = tool("busybox");

/** A directory in which every command is busybox's own, so that nothing of coreutils is used by accident. */
function busyboxPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-busybox-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = pathOf("busybox");
  // A build may lack some: Debian's has no flock.
  const built = new Set(execFileSync(file, ["--list"]).toString().split("\n"));
  for (const applet of APPLETS) if (built.has(applet)) symlinkSync(file, join(directory, applet));
  return directory;
}

const ownPath = (): string => process.env["PATH"] ?? "/usr/bin:/bin";

export const SHELLS: readonly Shell[] = [
  { name: "/bin/sh", missing: null, argv: () => ["/bin/sh"], path: ownPath },
  { name: "busybox sh", missing: busybox.missing, argv: () => ["sh"], path: busyboxPath },
  { name: "bash as sh", missing: tool("bash").missing, argv: () => ["bash", "--posix"], path: ownPath },
];
