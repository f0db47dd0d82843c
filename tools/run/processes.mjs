// Child processes: each in a group of its own, so that an interrupted run leaves nothing behind.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import path from "node:path";
import { ask, killSession, sessionEnds } from "./session.mjs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** After this long a group that was asked to end is killed. turbo needs a moment to end its own children. */
const GRACE_MS = 8_000;
/** One Ctrl-C arrives twice under npm, from the terminal and handed on; only a later one means "now". */
const SAME_PRESS_MS = 1_500;
/** A quiet step says that it is alive this often. */
export const STILL_RUNNING_MS = 20_000;
const WINDOWS = process.platform === "win32";

export class Processes {
  #root;
  #say;
  #graceMs;
  #children = new Set();
  #interruptedAt = 0;
  interruptedBy = undefined;

  constructor({ root, say, graceMs = GRACE_MS }) {
    this.#root = root;
    this.#say = say;
    this.#graceMs = graceMs;
    for (const signal of SIGNALS) process.on(signal, () => this.#interrupt(signal));
  }

  /**
   * Runs a command to its end. Resolves with its exit code (128 + n for a signal) and, if quiet, its output. A quiet one
   * with a title says now and then that it still runs.
   */
  run(argv, { cwd = this.#root, quiet = false, title, env = {} }) {
    return new Promise((resolve) => {
      const [file, ...args] = argv;
      const started = performance.now();
      const child = spawn(file, args, {
        cwd,
        env: { ...environment(this.#root, process.env), ...env },
        stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
        detached: !WINDOWS,
        shell: WINDOWS,
      });
      this.#children.add(child);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (text) => {
          output += text;
        });
      }
      const alive = setInterval(() => {
        if (quiet && title !== undefined)
          this.#say(`  ${title}: still running, ${Math.round((performance.now() - started) / 1000)} s`);
      }, STILL_RUNNING_MS);
      const settle = async (code) => {
        clearInterval(alive);
        if (this.interruptedBy !== undefined) await sessionEnds(child, this.#graceMs);
        this.#children.delete(child);
        resolve({ code, output, ms: performance.now() - started });
      };
      child.once("error", (error) => {
        output += `${file}: ${error.message}\n`;
        if (!quiet) process.stderr.write(`${file}: ${error.message}\n`);
        void settle(127);
      });
      child.once("close", (code, signal) => void settle(exitCode(code, signal)));
    });
  }

  exitCode() {
    return exitCode(null, this.interruptedBy);
  }

  #interrupt(signal) {
    const children = [...this.#children];
    if (this.interruptedBy !== undefined) {
      if (performance.now() - this.#interruptedAt > SAME_PRESS_MS) for (const child of children) killSession(child);
      return;
    }
    this.interruptedBy = signal;
    this.#interruptedAt = performance.now();
    if (children.length === 0) process.exit(this.exitCode());
    for (const child of children) ask(child, signal);
    setTimeout(() => this.#children.forEach(killSession), this.#graceMs).unref();
  }
}

/** A shell's convention: 128 and the number of the signal. */
export function exitCode(code, signal) {
  return signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1);
}

/** What every step sees: the workspace's tools first, telemetry off, no chatter from npm. */
export function environment(root, env) {
  const key = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return {
    ...env,
    [key]: [path.join(root, "node_modules", ".bin"), env[key]].filter(Boolean).join(path.delimiter),
    // Node's own cache of compiled code: hundreds of short processes read the same modules.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? path.join(root, "node_modules", ".cache", "node-compile"),
    DO_NOT_TRACK: "1",
    TURBO_TELEMETRY_DISABLED: "1",
    npm_config_loglevel: "error",
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_audit: "false",
  };
}
