import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { IsolationReport } from "@slipway/provider-kit/sandbox";

// What is bare: the namespaces, the host's files read-only, a shell. No root of its own, no log, nothing that outlives it.
const NAMESPACES = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"];
const FILES = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"];
const SHELL = ["/bin/sh", "-c", "echo up; read -r _"] as const;

/** Milliseconds from the start of a bare sandbox to the first byte that its shell prints. Nothing of it is left. */
export async function bareSandbox(isolation: IsolationReport): Promise<number> {
  const begun = performance.now();
  const end = await startBareSandbox(isolation);
  const taken = performance.now() - begun;
  await end();
  return taken;
}

/** A bare sandbox whose shell has printed; resolves to what ends it. */
export async function startBareSandbox({ tools }: IsolationReport): Promise<() => Promise<void>> {
  const child =
    tools === null
      ? spawn(SHELL[0], SHELL.slice(1), { stdio: ["pipe", "pipe", "inherit"] })
      : spawn(tools.bwrap, [...NAMESPACES, ...FILES, "--", ...SHELL], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return () => ended(child);
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  // The shell waits for a line.
  child.stdin?.end("\n");
  await exit;
}
