import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock, CommandOptions, Exec } from "@slipway/core";
import { CommandError } from "../command/command-error.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { diskStateStore, memoryStateStore, type StateStore } from "./state-store.ts";

/** How a call of an emulated program ended. The code is null where a signal ended it. */
export interface ProgramAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** The machine that an emulated program works on. */
export interface EmulatedHost<S> {
  readonly clock: Clock;
  readonly store: StateStore<S>;
  /** Everything that lies on a disk. */
  readonly directory: string;
  /** Keeps simulated time where it is while real processes work. */
  readonly real: <T>(work: () => Promise<T>) => Promise<T>;
  /** Removes the directory where it is this one's own. */
  readonly remove: () => void;
}

/** Where an emulated host in this directory keeps what it remembers. */
export function statePath(directory: string): string {
  return join(directory, "state.json");
}

/**
 * A host whose state processes share that name the same directory; without one it is this process's own, and goes with
 * `remove`.
 *
 * @example
 * ```ts
 * const host = emulatedHost({ clock, name: "acme", directory: undefined, initial: () => ({ machines: [] }) });
 * ```
 */
export function emulatedHost<S>({
  clock,
  name,
  directory: shared,
  initial,
}: {
  readonly clock: Clock;
  readonly name: string;
  readonly directory: string | undefined;
  readonly initial: () => S;
}): EmulatedHost<S> {
  const directory = shared ?? mkdtempSync(join(tmpdir(), `slipway-${name}-`));
  return {
    clock,
    directory,
    store: shared === undefined ? memoryStateStore(initial) : diskStateStore(statePath(directory), { initial }),
    real: async (work) => {
      const release = isSimulated(clock) ? clock.hold() : undefined;
      try {
        return await work();
      } finally {
        release?.();
      }
    },
    remove: () => {
      if (shared === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function isSimulated(clock: Clock): clock is SimulatedClock {
  return "hold" in clock;
}

/** What a call of an emulated program is given. */
export type EmulatedCall = Pick<CommandOptions, "stdin" | "env" | "onStdout" | "onStderr"> & {
  readonly signal: AbortSignal;
};

// What a timer of Node can wait for.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * An emulated program as a command runner, with the runner's own rules for time and signals: they end the client alone, and
 * what it began goes on.
 *
 * @example
 * ```ts
 * const exec = commandEmulator(clock, (args, call) => acmectl(args, call));
 * ```
 */
export function commandEmulator(
  clock: Clock,
  run: (args: readonly string[], call: EmulatedCall) => Promise<ProgramAnswer>,
): Exec {
  return async (file, args, { signal, timeoutMs, stdin, env, onStdout, onStderr } = {}) => {
    const began = clock.now();
    const over = new AbortController();
    const ended = (fault: "timedOut" | "cancelled"): CommandError =>
      new CommandError({
        fault,
        reason: fault === "timedOut" ? "it did not finish in time, and was ended" : "it was cancelled, and ended",
        command: [file, ...args.slice(0, 2)],
        started: signal?.aborted !== true || clock.now() > began,
        durationMs: clock.now() - began,
      });
    const byCaller = (): CommandError => ended(isTimeout(signal?.reason) ? "timedOut" : "cancelled");
    if (signal?.aborted === true) throw byCaller();
    const onAbort = (): void => over.abort(byCaller());
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = new AbortController();
    if (timeoutMs !== undefined && timeoutMs < LONGEST_MS) {
      clock.sleep(timeoutMs, timer.signal).then(
        () => over.abort(ended("timedOut")),
        () => undefined,
      );
    }
    const lost = new Promise<never>((_resolve, reject) => {
      over.signal.addEventListener("abort", () => reject(over.signal.reason), { once: true });
    });
    try {
      const working = run(args, { stdin, env, signal: over.signal, onStdout, onStderr });
      // It goes on where nobody waits for it any more.
      working.catch(() => undefined);
      const { stdout, stderr, code } = await Promise.race([working, lost]);
      return { exitCode: code, signal: code === null ? "SIGKILL" : null, stdout, stderr };
    } finally {
      timer.abort(new Error("over"));
      signal?.removeEventListener("abort", onAbort);
    }
  };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}

const WAIT_MS = 60_000;

/**
 * This process as the emulated program: prints what the call prints, reads stdin where the call wants it, and ends as it
 * ended.
 */
export async function runAsProgram(
  wantsStdin: boolean,
  call: (
    given: Pick<EmulatedCall, "onStdout" | "onStderr"> & { readonly stdin: Uint8Array | undefined },
  ) => Promise<ProgramAnswer>,
): Promise<void> {
  const streamed = { stdout: 0, stderr: 0 };
  const to = (name: "stdout" | "stderr") => (chunk: string) => {
    streamed[name] += chunk.length;
    process[name].write(chunk);
  };
  const stdin = wantsStdin ? await readStdin() : undefined;
  // A call that hangs waits for nothing that Node knows of, and would be over.
  const waiting = setInterval(() => undefined, WAIT_MS);
  const calling = call({ stdin, onStdout: to("stdout"), onStderr: to("stderr") });
  const answer = await calling.finally(() => clearInterval(waiting));
  process.stdout.write(answer.stdout.slice(streamed.stdout));
  process.stderr.write(answer.stderr.slice(streamed.stderr));
  if (answer.code === null) process.kill(process.pid, "SIGKILL");
  process.exitCode = answer.code ?? 1;
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
