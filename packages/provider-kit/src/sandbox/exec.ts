import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { detectIsolation, enterArguments } from "./bubblewrap.ts";
import type { Sandbox } from "./isolation.ts";
import { SandboxError, sandboxEnvironment, sandboxLayout } from "./layout.ts";
import { sandboxState } from "./status.ts";

export interface SandboxExecOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The most characters kept of each stream, 16 Mi if absent; past it the command is ended and the call rejects. */
  readonly maxOutput?: number | undefined;
}

/** How a command ended. 127: not found, 126: not executable, 128 and the signal's number where a signal ended it. */
export interface SandboxExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const MAX_OUTPUT = 16 * 1024 * 1024;
// A command may leave something in the background that keeps its output open; what it printed itself is there by then, or
// still comes.
const FLUSH_MS = 100;
// What is in a pipe is read within this, so whatever still comes is of something in the background.
const MAX_FLUSHES = 10;

/**
 * Runs a program inside, with the argument list as it is, in the home directory. A non-zero exit is a result. Resolves when
 * the program has ended and what it printed was read, also while something that it left goes on printing. Throws
 * SandboxError `gone` if the sandbox is not alive, `aborted`, or `too-much-output`; the command's own process group is
 * ended then.
 */
export async function execInSandbox(
  sandbox: Sandbox,
  argv: readonly string[],
  options: SandboxExecOptions = {},
): Promise<SandboxExecResult> {
  if (argv.length === 0 || argv.some((word) => word.includes("\0"))) {
    throw new SandboxError("invalid", "a command needs at least one word, and no word may hold NUL");
  }
  assertWanted(options.signal);
  await assertAlive(sandbox);
  const { file, args, environment } = await enterSandbox(sandbox, argv, options.environment);
  // A signal that has aborted meanwhile tells nobody again.
  assertWanted(options.signal);
  const child = spawn(file, args, {
    cwd: sandbox.directory,
    env: environment,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const result = await finished(child, options);
  if (mayHaveMissedIt(result)) await assertStaysAlive(sandbox);
  return result;
}

/** A command of this machine that runs another one inside, for a program that is not this process. */
export async function enterSandbox(
  sandbox: Sandbox,
  argv: readonly string[],
  own?: Readonly<Record<string, string>>,
): Promise<{
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}> {
  const [file, args] = await entering(sandbox, argv);
  const layout = sandboxLayout(sandbox.directory);
  return { file, args, environment: sandboxEnvironment(sandbox.id, layout, sandbox.isolation, own) };
}

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new SandboxError("aborted", "aborted before it began");
}

async function assertAlive(sandbox: Sandbox): Promise<void> {
  const state = await sandboxState(sandbox);
  if (state === "alive") return;
  const why = state === "dead" ? "has ended" : "runs in another container";
  throw new SandboxError("gone", `sandbox ${sandbox.id} ${why}`);
}

/** `nsenter` came too late, or the command was killed: by something of its own, or with the sandbox. */
function mayHaveMissedIt({ exitCode, stderr }: SandboxExecResult): boolean {
  return exitCode === 137 || (exitCode !== 0 && stderr.startsWith("nsenter:"));
}

/** The processes of a sandbox that is killed do not all end at once. */
async function assertStaysAlive(sandbox: Sandbox): Promise<void> {
  for (let look = 0; look < 5; look++) {
    await assertAlive(sandbox);
    await pause(10);
  }
}

async function entering(sandbox: Sandbox, argv: readonly string[]): Promise<[string, string[]]> {
  if (sandbox.isolation === "process-group") {
    return ["/bin/sh", ["-c", 'cd "$HOME" 2>/dev/null; exec "$@"', "sh", ...argv]];
  }
  // The sandbox is one of bubblewrap's whatever this process's own setting says.
  const { tools, reason } = await detectIsolation({ variables: { ...process.env, SLIPWAY_SANDBOX: "auto" } });
  if (tools === null) throw new SandboxError("unsupported", `the sandbox cannot be entered: ${reason}`);
  return [tools.nsenter, enterArguments(tools, sandbox.process.pid, sandbox.network, argv)];
}

function finished(child: Child, options: SandboxExecOptions): Promise<SandboxExecResult> {
  return new Promise((resolve, reject) => {
    const output = { stdout: "", stderr: "" };
    const settle = (act: () => void): void => {
      options.signal?.removeEventListener("abort", onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      act();
    };
    const fail = (error: SandboxError): void => {
      endGroup(child);
      settle(() => reject(error));
    };
    const onAbort = (): void => fail(new SandboxError("aborted", "the command was aborted", options.signal?.reason));
    const keep = (name: "stdout" | "stderr", chunk: string, listener?: (chunk: string) => void): void => {
      output[name] += chunk;
      listener?.(chunk);
      if (output[name].length > (options.maxOutput ?? MAX_OUTPUT)) {
        fail(
          new SandboxError(
            "too-much-output",
            `the command printed more than ${options.maxOutput ?? MAX_OUTPUT} characters`,
          ),
        );
      }
    };
    options.signal?.addEventListener("abort", onAbort, { once: true });
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => keep("stdout", chunk, options.onStdout));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => keep("stderr", chunk, options.onStderr));
    // A command need not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.stdin ?? "");
    child.once("error", (error) => settle(() => reject(error)));
    const done = (code: number | null, signal: NodeJS.Signals | null): void => {
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      settle(() => resolve({ exitCode, ...output }));
    };
    child.once("close", done);
    child.once("exit", (code, signal) => {
      const flush = (printed: number, left: number): void => {
        const now = output.stdout.length + output.stderr.length;
        if (now === printed || left === 0) return done(code, signal);
        // The immediate comes after a reading of what is there, also where this process was late for its timer.
        setTimeout(() => setImmediate(flush, now, left - 1), FLUSH_MS);
      };
      flush(-1, MAX_FLUSHES);
    });
  });
}

function endGroup(child: Child): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
