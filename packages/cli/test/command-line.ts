import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "@slipway/core";
import { onTestFinished } from "vitest";
import { runCli } from "../src/run-cli.ts";
import type { World } from "../src/world.ts";
import { type FakeOptions, FakeRemote, fakeModule } from "./fake-provider.ts";

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON. */
  readonly json: () => unknown;
  /** stderr's one line as JSON. */
  readonly error: () => Record<string, unknown>;
}

export interface CommandLine {
  readonly remote: FakeRemote;
  readonly directory: string;
  readonly cwd: string;
  readonly state: string;
  readonly modules: Map<string, () => unknown>;
  readonly spawned: { readonly file: string; readonly args: readonly string[] }[];
  /** Time that only `sleep` and the test move. */
  readonly clock: Clock & { now: () => number; advance: (ms: number) => void };
  readonly slipway: (
    args: readonly string[],
    world?: Partial<World> & { readonly input?: string },
  ) => Promise<Finished>;
  /** Writes a file below the working directory. */
  readonly write: (path: string, content: string) => string;
}

export const NOW: number = Date.parse("2026-01-31T12:00:00Z");

/** A user's shell: a directory, a state directory, the embedded provider on a fake remote, and nothing of this machine. */
export function commandLine(options: FakeOptions = {}): CommandLine {
  const directory = mkdtempSync(join(tmpdir(), "slipway-cli-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const cwd = join(directory, "project");
  mkdirSync(cwd);
  const state = join(directory, "state");
  const remote = new FakeRemote();
  const modules = new Map<string, () => unknown>([["@slipway/provider-local", () => fakeModule(remote, options)]]);
  const spawned: { readonly file: string; readonly args: readonly string[] }[] = [];
  const clock = steppingClock();

  const slipway: CommandLine["slipway"] = async (args, { input = "", ...given } = {}) => {
    const out: string[] = [];
    const err: string[] = [];
    const world: World = {
      stdin: { isTTY: false, read: async () => Buffer.from(input) },
      stdout: { isTTY: false, write: (text) => out.push(text) },
      stderr: { isTTY: false, write: (text) => err.push(text) },
      env: { XDG_STATE_HOME: state, HOME: directory },
      clock,
      cwd,
      uid: process.getuid?.() ?? null,
      installedAt: join(directory, "command"),
      signal: new AbortController().signal,
      handleInterrupts: () => () => undefined,
      loadModule: async (specifier) => {
        const module = modules.get(specifier);
        return module === undefined ? import(specifier) : module();
      },
      spawnProcess: async (file, argv) => {
        spawned.push({ file, args: argv });
        return 0;
      },
      prompter: { confirm: async () => unexpected("a question"), text: async () => unexpected("a question") },
      nodeVersion: "24.0.0",
      ...given,
    };
    const exitCode = await runCli(args, world);
    const stdout = out.join("");
    const stderr = err.join("");
    return {
      exitCode,
      stdout,
      stderr,
      json: () => JSON.parse(stdout) as unknown,
      error: () => JSON.parse(stderr) as Record<string, unknown>,
    };
  };

  return {
    ...{ remote, directory, cwd, state, modules, spawned, clock, slipway },
    write: (path, content) => {
      const full = join(cwd, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content);
      return full;
    },
  };
}

function steppingClock(): CommandLine["clock"] {
  let now = NOW;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: async (ms, signal) => {
      // A deadline sleeps beside the work: it must not move the time, and ends when it is released.
      if (ms >= 3000) {
        return new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      }
      signal?.throwIfAborted();
      now += ms;
    },
  };
}

function unexpected(what: string): never {
  throw new Error(`${what} was not expected here`);
}

/** A provider package in the project's node_modules, and in its package.json's dependencies. */
export function installed(
  line: CommandLine,
  packageName: string,
  provider: string,
  options: {
    readonly contract?: unknown;
    readonly variables?: readonly string[];
    readonly source?: string;
    readonly dependencies?: readonly string[];
  } = {},
): string {
  const folder = join("node_modules", packageName);
  const manifest = {
    name: packageName,
    version: "1.2.3",
    type: "module",
    exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
    slipway: { provider, contract: options.contract ?? 1, variables: options.variables },
  };
  line.write(join(folder, "package.json"), JSON.stringify(manifest));
  const entry = line.write(join(folder, "index.js"), options.source ?? "export const register = () => { throw 1; };");
  const names = options.dependencies ?? [packageName];
  line.write("package.json", JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, "*"])) }));
  return entry;
}
