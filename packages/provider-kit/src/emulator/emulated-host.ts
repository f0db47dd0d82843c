import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@slipway/core";
import type { EmulatedCall, ProgramAnswer } from "../command/command-emulator.ts";
import type { SimulatedClock } from "./simulated-clock.ts";
import { diskStateStore, memoryStateStore, type StateStore } from "./state-store.ts";

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
