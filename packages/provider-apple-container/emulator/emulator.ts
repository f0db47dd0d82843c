import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, type CommandOptions, type Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { diskStateStore, memoryStateStore, type SimulatedClock, simulatedClock } from "@slipway/provider-kit/emulator";
import { endSandbox } from "@slipway/provider-kit/sandbox";
import type { Answer } from "./answer.ts";
import { runCommand } from "./command.ts";
import { type ContainerControl, containerControl } from "./control.ts";
import { type Machine, sandboxOf } from "./machine.ts";
import { type Delays, type EmulatedVersion, initialState, type MachineState, type ServiceState } from "./state.ts";

export interface ContainerEmulatorSettings {
  /** Simulated if absent: then it stands still while real processes work. */
  readonly clock?: Clock | undefined;
  /** `1.2.2` if absent. */
  readonly version?: EmulatedVersion | undefined;
  /** 26 if absent: 15 has no networks of one's own, and its containers do not reach one another. */
  readonly macos?: 15 | 26 | undefined;
  readonly service?: ServiceState | undefined;
  /** Where the state and the containers' files lie: processes that share it share the Mac. Absent: a new one, which `close` removes. */
  readonly directory?: string | undefined;
  readonly delays?: Partial<Delays> | undefined;
  /** Write `/` as `\/` in the lists, as some builds do. */
  readonly escapeSlashes?: boolean | undefined;
  /** Is a port that another program of this host has bound taken? True if absent. */
  readonly checkHostPorts?: boolean | undefined;
}

export interface ContainerCallOptions {
  readonly stdin?: string | Uint8Array | undefined;
  /** Ends the command, not what it began. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** A Mac with Apple's `container`, emulated: the processes in the containers are real ones of this host. */
export interface ContainerEmulator {
  readonly clock: Clock;
  /** As a command runner: the program's name is not looked at. */
  readonly exec: Exec;
  readonly container: (argv: readonly string[], options?: ContainerCallOptions) => Promise<Answer>;
  readonly control: ContainerControl;
  /** Ends every process of the containers, and removes the directory if it was this one's own. Call it always. */
  readonly close: () => Promise<void>;
}

/**
 * @example
 * ```ts
 * import { appleContainer } from "@slipway/provider-apple-container";
 *
 * const { exec, clock, close } = containerEmulator();
 * const machines = appleContainer({ owner: "me", runtime: { exec, clock } });
 * await machines.list(); // => []
 * await close();
 * ```
 */
export function containerEmulator(settings: ContainerEmulatorSettings = {}): ContainerEmulator {
  const clock = settings.clock ?? simulatedClock();
  const directory = settings.directory ?? mkdtempSync(join(tmpdir(), "slipway-container-"));
  const machine = machineOf(settings, clock, directory);
  const container: ContainerEmulator["container"] = (argv, options = {}) =>
    runCommand(machine, argv, {
      stdin: options.stdin ?? "",
      signal: options.signal ?? new AbortController().signal,
      onStdout: options.onStdout,
      onStderr: options.onStderr,
    });
  const calls: (readonly string[])[] = [];
  return {
    clock,
    container,
    exec: (_file, args, options) => {
      calls.push(args);
      return execOver(machine, args, options);
    },
    control: containerControl(machine, calls),
    close: async () => {
      const { containers } = await machine.store.read();
      for (const id of Object.keys(containers)) await endSandbox(sandboxOf(machine, id));
      if (settings.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

function machineOf(settings: ContainerEmulatorSettings, clock: Clock, directory: string): Machine {
  const { version, macos, service, delays, escapeSlashes = false, checkHostPorts = true } = settings;
  const initial = (): MachineState => {
    const state = initialState({ origin: clock.now() });
    return {
      ...state,
      version: version ?? state.version,
      macos: macos ?? state.macos,
      service: service ?? state.service,
      delays: { ...state.delays, ...delays },
    };
  };
  return {
    store:
      settings.directory === undefined ? memoryStateStore(initial) : diskStateStore(statePath(directory), { initial }),
    clock,
    directory,
    escapeSlashes,
    isPortTaken: checkHostPorts ? isBound : () => Promise.resolve(false),
    real: async (work) => {
      const release = isSimulated(clock) ? clock.hold() : undefined;
      try {
        return await work();
      } finally {
        release?.();
      }
    },
  };
}

export function statePath(directory: string): string {
  return join(directory, "state.json");
}

function isSimulated(clock: Clock): clock is SimulatedClock {
  return "hold" in clock;
}

function isBound(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}

/** With the runner's own rules for time and signals: they end the command, and what it began goes on. */
async function execOver(
  machine: Machine,
  args: readonly string[],
  { signal, timeoutMs, stdin, onStdout, onStderr }: CommandOptions = {},
): Promise<Awaited<ReturnType<Exec>>> {
  const { clock } = machine;
  const began = clock.now();
  const over = new AbortController();
  const ended = (fault: "timedOut" | "cancelled"): CommandError =>
    new CommandError({
      fault,
      reason: fault === "timedOut" ? "it took too long" : "it was cancelled",
      command: ["container", ...args.slice(0, 2)],
      started: signal?.aborted !== true || clock.now() > began,
      durationMs: clock.now() - began,
    });
  if (signal?.aborted === true) throw ended(isTimeout(signal.reason) ? "timedOut" : "cancelled");
  const onAbort = (): void => over.abort(ended(isTimeout(signal?.reason) ? "timedOut" : "cancelled"));
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = new AbortController();
  if (timeoutMs !== undefined && timeoutMs < 2 ** 31 - 1) {
    clock.sleep(timeoutMs, timer.signal).then(
      () => over.abort(ended("timedOut")),
      () => undefined,
    );
  }
  const lost = new Promise<never>((_resolve, reject) => {
    over.signal.addEventListener("abort", () => reject(over.signal.reason), { once: true });
  });
  const call = { stdin: stdin ?? "", signal: over.signal, onStdout, onStderr };
  try {
    const working = runCommand(machine, args, call);
    // It goes on where nobody waits for it any more.
    working.catch(() => undefined);
    const { stdout, stderr, code } = await Promise.race([working, lost]);
    return { exitCode: code, signal: code === null ? "SIGKILL" : null, stdout, stderr };
  } finally {
    timer.abort(new Error("over"));
    signal?.removeEventListener("abort", onAbort);
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}
