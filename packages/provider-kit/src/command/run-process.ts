import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { CommandResult } from "@slipway/core";
import { CapturedOutput } from "./captured-output.ts";
import type { CommandError, CommandErrorDetails } from "./command-error.ts";
import { endGroup } from "./process-group.ts";
import { spawnFault } from "./spawn-fault.ts";

/** What is known where the fault happens; the runner adds the rest. */
type Fault = Pick<CommandErrorDetails, "fault" | "reason" | "started"> &
  Partial<Pick<CommandErrorDetails, "stdout" | "stderr" | "systemCode" | "cause">>;

/** What a command reads. A stream is read no faster than the program takes it; where it fails, the group is ended. */
export type CommandInput = string | Uint8Array | AsyncIterable<Uint8Array>;

/** One command with every default filled in. */
export interface CommandCall {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: CommandInput | undefined;
  readonly maxOutputBytes: number;
  readonly onStdout: ((chunk: string) => void) | undefined;
  readonly onStderr: ((chunk: string) => void) | undefined;
  readonly signal: AbortSignal;
  readonly secrets: readonly string[];
  readonly killGraceMs: number;
  readonly describe: (fault: Fault) => CommandError;
}

interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Why a command is ended from here. */
type Interruption = { readonly by: "signal" } | { readonly by: "output" } | { readonly by: "caller"; error: unknown };

// After the exit the pipes are read until they end, or until nothing has come for this long: a grandchild that holds
// them open may do so for days.
const QUIET_MS = 40;
const LONGEST_DRAIN_MS = 1000;

/** Runs it to its end. `interruption` says, once the signal has aborted, whether that is a timeout or a cancellation. */
export async function runProcess(
  call: CommandCall,
  interruption: () => Pick<Fault, "fault" | "reason" | "cause">,
): Promise<CommandResult> {
  // Loaded at the first command: it costs more to load than all of this package.
  const { execa } = await import("execa");
  const running = execa(call.file, [...call.args], {
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    env: call.environment,
    extendEnv: false,
    stdin: call.stdin === undefined ? "ignore" : "pipe",
    stdout: "pipe",
    stderr: "pipe",
    encoding: "buffer",
    buffer: false,
    reject: false,
    // A group of its own, signalled as a whole, also when this process ends.
    killDescendants: true,
    cleanup: true,
    forceKillAfterDelay: false,
  });
  const child = running.nodeChildProcess;
  const { pid } = child;
  if (pid === undefined) {
    const systemCode = (await running).code;
    const found = await spawnFault(systemCode, call.file, call.cwd, call.environment);
    throw call.describe({ ...found, started: false, systemCode });
  }

  const stdout = new CapturedOutput(call.maxOutputBytes, call.onStdout);
  const stderr = new CapturedOutput(call.maxOutputBytes, call.onStderr);
  const interrupted = Promise.withResolvers<Interruption>();
  const onAbort = (): void => interrupted.resolve({ by: "signal" });
  const read = (output: CapturedOutput) => (chunk: Uint8Array) => {
    try {
      if (!output.add(chunk)) interrupted.resolve({ by: "output" });
    } catch (error) {
      interrupted.resolve({ by: "caller", error });
    }
  };
  child.stdout?.on("data", read(stdout));
  child.stderr?.on("data", read(stderr));
  feed(child, call.stdin).catch((error: unknown) => interrupted.resolve({ by: "caller", error }));

  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (exitCode, signal) => {
      // The command has ended by itself: what comes now is too late to end it.
      call.signal.removeEventListener("abort", onAbort);
      resolve({ exitCode, signal });
    });
  });
  if (call.signal.aborted) onAbort();
  else call.signal.addEventListener("abort", onAbort, { once: true });

  const outcome = await Promise.race([
    interrupted.promise,
    exited.then((exit) => drained(child, () => stdout.received + stderr.received).then(() => exit)),
  ]);
  call.signal.removeEventListener("abort", onAbort);
  if ("by" in outcome) {
    const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await endGroup({ pid, signal: (name) => running.kill(name), hasExited }, call.killGraceMs);
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  if (!("by" in outcome)) {
    stdout.end();
    stderr.end();
    return { ...outcome, stdout: stdout.text, stderr: stderr.text };
  }
  if (outcome.by === "caller") throw outcome.error;
  const what =
    outcome.by === "signal"
      ? interruption()
      : ({
          fault: "outputTooLarge",
          reason: `it printed more than ${call.maxOutputBytes} bytes, and was ended`,
        } as const);
  throw call.describe({ ...what, started: true, stdout: stdout.text, stderr: stderr.text });
}

// A command that ends without reading all of its input is not at fault, and neither is this process.
async function feed({ stdin }: ChildProcess, input: CommandInput | undefined): Promise<void> {
  if (stdin === null || input === undefined) return;
  stdin.on("error", () => undefined);
  if (typeof input === "string" || input instanceof Uint8Array) {
    stdin.end(input);
    return;
  }
  for await (const piece of input) {
    if (!stdin.writable) return;
    if (!stdin.write(piece)) await roomOrEnd(stdin);
  }
  stdin.end();
}

function roomOrEnd(stdin: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stdin.off("drain", settle).off("close", settle);
      resolve();
    };
    if (stdin.destroyed) resolve();
    else stdin.on("drain", settle).on("close", settle);
  });
}

async function drained(child: ChildProcess, received: () => number): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const ended = Promise.all(streams.map((stream) => new Promise((done) => stream.once("close", done))));
  const end = performance.now() + LONGEST_DRAIN_MS;
  while (streams.some((stream) => !stream.readableEnded && !stream.destroyed) && performance.now() < end) {
    const before = received();
    const over = new AbortController();
    await Promise.race([ended, sleep(QUIET_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
    over.abort();
    // A timer may be late on a busy machine, so the pipes get their turn before their silence is believed.
    await turn();
    await turn();
    if (received() === before) return;
  }
}
