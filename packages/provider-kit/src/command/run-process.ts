import type { ChildProcess } from "node:child_process";
import { constants, createReadStream, type ReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { CommandResult } from "@slipway/core";
import type { CommandError, CommandErrorDetails, CommandFault } from "./command-error.ts";
import { endGroup } from "./process-group.ts";

/**
 * One output stream: its bytes up to a cap, in one buffer that grows, so that a program that writes byte by byte does not
 * cost a hundred times its output; and its text chunk by chunk, where a character never breaks at a chunk's border.
 */
class CapturedOutput {
  readonly #cap: number;
  readonly #onText: ((chunk: string) => void) | undefined;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  /** How many bytes have come in all, kept or not. */
  received = 0;

  constructor(cap: number, onText: ((chunk: string) => void) | undefined) {
    this.#cap = cap;
    this.#onText = onText;
  }

  /** False once the stream is past its cap. The listener gets what is kept, and no more. */
  add(chunk: Uint8Array): boolean {
    this.received += chunk.length;
    const kept = chunk.subarray(0, this.#cap - this.#length);
    this.#reserve(this.#length + kept.length);
    this.#bytes.set(kept, this.#length);
    this.#length += kept.length;
    if (this.#onText !== undefined && kept.length > 0) {
      const text = this.#decoder.decode(kept, { stream: true });
      if (text !== "") this.#onText(text);
    }
    return this.received <= this.#cap;
  }

  /** The stream is over: a broken last character still reaches the listener. */
  end(): void {
    const rest = this.#decoder.decode();
    if (rest !== "") this.#onText?.(rest);
  }

  get text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#bytes.subarray(0, this.#length));
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#cap, Math.max(length, this.#bytes.length * 2, 4096)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** What is known where the fault happens; the runner adds the rest. */
type Fault = Pick<CommandErrorDetails, "fault" | "reason" | "started"> &
  Partial<Pick<CommandErrorDetails, "stdout" | "stderr" | "systemCode" | "cause">>;

/**
 * What a command reads. A stream is read no faster than the program takes it; where it fails, the group is ended. A file
 * is read by the program itself, from where the descriptor stands: no byte of it goes through this process.
 */
export type CommandInput = string | Uint8Array | AsyncIterable<Uint8Array> | OpenFile;

/** A file of this process that stays open until the command has ended, as `node:fs/promises` opens it. */
export interface OpenFile {
  readonly fd: number;
}

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
    stdin: stdinOf(call.stdin),
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

function stdinOf(input: CommandInput | undefined): "ignore" | "pipe" | ReadStream {
  if (input === undefined) return "ignore";
  // Never read: its descriptor is what the program gets.
  return isOpenFile(input) ? createReadStream("", { fd: input.fd, autoClose: false }) : "pipe";
}

/** A stream of a file has a descriptor too, which its own reads move on. */
function isOpenFile(input: CommandInput): input is OpenFile {
  return typeof input === "object" && "fd" in input && !(Symbol.asyncIterator in input);
}

// A command that ends without reading all of its input is not at fault, and neither is this process.
async function feed({ stdin }: ChildProcess, input: CommandInput | undefined): Promise<void> {
  if (stdin === null || input === undefined || isOpenFile(input)) return;
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

/** What a start that failed was about, and the sentence for it. */
interface SpawnFault {
  readonly fault: CommandFault;
  readonly reason: string;
}

/**
 * The system says ENOENT for a missing program, a missing interpreter and a missing directory alike: this looks which it
 * was. It looks afterwards, so that a command that starts pays nothing for it.
 */
async function spawnFault(
  systemCode: string | undefined,
  file: string,
  cwd: string | undefined,
  environment: Readonly<Record<string, string>>,
): Promise<SpawnFault> {
  const directory = cwd === undefined ? null : await directoryFault(cwd);
  if (directory !== null) return { fault: "badWorkingDirectory", reason: directory };
  const isThere = await isFileThere(file, cwd, environment["PATH"]);
  if (systemCode === "ENOENT") {
    return isThere
      ? { fault: "notExecutable", reason: "the program is there, but not the interpreter that its first line names" }
      : { fault: "notFound", reason: "there is no such program" };
  }
  if (systemCode === "EACCES" || systemCode === "EPERM" || systemCode === "ENOEXEC") {
    return { fault: "notExecutable", reason: `the program cannot be executed (${systemCode})` };
  }
  return { fault: "notStarted", reason: `it could not be started (${systemCode ?? "no reason given"})` };
}

async function directoryFault(cwd: string): Promise<string | null> {
  try {
    if (!(await stat(cwd)).isDirectory()) return `the working directory ${cwd} is not a directory`;
    await access(cwd, constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EACCES"
      ? `the working directory ${cwd} may not be entered`
      : `the working directory ${cwd} does not exist`;
  }
}

async function isFileThere(file: string, cwd: string | undefined, path: string | undefined): Promise<boolean> {
  const places = /[\\/]/.test(file)
    ? [resolve(cwd ?? ".", file)]
    : (path ?? "").split(delimiter).map((directory) => join(directory, file));
  for (const place of places) {
    if (
      await stat(place).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return true;
  }
  return false;
}
