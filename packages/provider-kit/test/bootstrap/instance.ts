import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BootstrapConfig, BootstrapScript } from "@slipway/core";
import { onTestFinished } from "vitest";
import { bootstrapPaths, parseSentinel, renderBootstrap, type SentinelState } from "../../src/bootstrap/index.ts";
import { SHELLS, type Shell } from "./tools.ts";

export const context = { provider: "tester", operation: "generateBootstrap" } as const;

export function render(config: BootstrapConfig, format: BootstrapScript["format"] = "shell"): BootstrapScript {
  return renderBootstrap(config, { ...context, format });
}

/** A temporary directory that stands for the machine: the script runs in it without any privilege. */
export interface Machine {
  readonly root: string;
  readonly state: string;
  readonly run: (content: string, shell?: Shell) => { readonly exitCode: number | null; readonly output: string };
  readonly start: (content: string) => ChildProcess;
  readonly sentinel: () => SentinelState;
  readonly log: () => string;
  readonly read: (name: string) => Buffer;
}

const [POSIX_SHELL] = SHELLS;

export function machine(environment: Readonly<Record<string, string>> = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), "slipway-machine-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const state = join(root, "state");
  const paths = bootstrapPaths(state);
  const text = (path: string): string | null => (existsSync(path) ? readFileSync(path, "utf8") : null);
  const script = join(root, "bootstrap.sh");
  const environmentFor = (shell: Shell): Record<string, string> => ({
    PATH: shell.path(),
    HOME: root,
    SLIPWAY_BOOTSTRAP_DIR: state,
    ...environment,
  });
  return {
    root,
    state,
    run: (content, shell = POSIX_SHELL ?? failed()) => {
      writeFileSync(script, content);
      const [file = "", ...args] = shell.argv();
      const env = environmentFor(shell);
      const done = spawnSync(file, [...args, script], { env, cwd: root, stdio: ["ignore", "pipe", "pipe"] });
      return { exitCode: done.status, output: `${done.stdout}${done.stderr}` };
    },
    start: (content) => {
      writeFileSync(script, content);
      const child = spawn("/bin/sh", [script], {
        env: environmentFor(POSIX_SHELL ?? failed()),
        cwd: root,
        stdio: "ignore",
        detached: true,
      });
      onTestFinished(() => endGroup(child));
      return child;
    },
    sentinel: () => parseSentinel(text(paths.sentinel)),
    log: () => text(paths.log) ?? "",
    read: (name) => readFileSync(join(root, name)),
  };
}

/** As a machine that loses its power would. */
export function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function failed(): never {
  throw new Error("there is no shell");
}
