import { join } from "node:path";
import type { Isolation } from "./isolation.ts";
import { HOME_INSIDE, RUN_DIRECTORY_INSIDE, type SandboxLayout } from "./layout.ts";

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
