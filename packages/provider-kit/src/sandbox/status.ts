import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Sandbox } from "./isolation.ts";
import { attemptTag, idTag, type SandboxLayout, sandboxLayout } from "./layout.ts";
import { identify, type ProcessState, processState, systemProcessTable } from "./process-identity.ts";

const MAX_BYTES = 64 * 1024;

/** The host's id of the process whose end is the sandbox's end, as it was written at the start. */
export function childOf(layout: SandboxLayout): number | null {
  return numberIn(layout, "child-pid");
}

/** How the sandbox's command ended; null if it has not, or nothing was there to write it down. */
export function sandboxExitCode(directory: string): number | null {
  return numberIn(sandboxLayout(directory), "exit-code");
}

/** Is it alive? `elsewhere`: it was started in another container that shares this directory. */
export function sandboxState(sandbox: Sandbox): Promise<ProcessState> {
  return processState(sandbox.process);
}

/**
 * Looks for a sandbox whose caller ended before it could store what `startSandbox` answers. Null if there is none that
 * began its command under the latest start; something of it may then still be about to begin, which `endSandbox` ends.
 */
export async function findSandbox(from: Omit<Sandbox, "process">): Promise<Sandbox | null> {
  const layout = sandboxLayout(from.directory);
  const pid = childOf(layout);
  const attempt = readText(layout.attempt)?.trim();
  if (pid === null || attempt === undefined) return null;
  const tagged = await systemProcessTable().withEnvironment([idTag(from.id), attemptTag(attempt)]);
  if (!tagged.includes(pid)) return null;
  const process = await identify(pid);
  return process === null ? null : { ...from, process };
}

function numberIn(layout: SandboxLayout, name: string): number | null {
  for (const line of (readText(layout.status) ?? "").split("\n")) {
    const value = new RegExp(`"${name}": *(\\d+)`).exec(line)?.[1];
    if (value !== undefined) return Number(value);
  }
  return null;
}

/** At most 64 KiB of a regular file, following no link: what a sandbox can write may be anything. Null if there is none. */
export function readText(path: string): string | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const buffer = Buffer.alloc(MAX_BYTES);
    return buffer.subarray(0, readSync(file, buffer, 0, MAX_BYTES, 0)).toString("utf8");
  } catch {
    return null;
  } finally {
    closeSync(file);
  }
}
