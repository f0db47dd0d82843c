import { createServer } from "node:net";
import type { Clock, Exec } from "@slipway/core";
import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { commandEmulator } from "@slipway/provider-kit/command";
import { type EmulatedHost, emulatedHost, simulatedClock } from "@slipway/provider-kit/emulator";
import { endSandbox } from "@slipway/provider-kit/sandbox";
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
  readonly container: (argv: readonly string[], options?: ContainerCallOptions) => Promise<ProgramAnswer>;
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
  const host = hostOf(settings, clock);
  const { escapeSlashes = false, checkHostPorts = true } = settings;
  const machine: Machine = { ...host, escapeSlashes, isPortTaken: checkHostPorts ? isBound : async () => false };
  const container: ContainerEmulator["container"] = (argv, options = {}) =>
    runCommand(machine, argv, {
      stdin: options.stdin ?? "",
      signal: options.signal ?? new AbortController().signal,
      onStdout: options.onStdout,
      onStderr: options.onStderr,
    });
  const exec = commandEmulator(clock, container);
  const calls: (readonly string[])[] = [];
  return {
    clock,
    container,
    exec: (file, args, options) => {
      calls.push(args);
      return exec(file, args, options);
    },
    control: containerControl(machine, calls),
    close: async () => {
      const { containers } = await machine.store.read();
      for (const id of Object.keys(containers)) await endSandbox(sandboxOf(machine, id));
      host.remove();
    },
  };
}

function hostOf(settings: ContainerEmulatorSettings, clock: Clock): EmulatedHost<MachineState> {
  const { version, macos, service, delays } = settings;
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
  return emulatedHost({ clock, name: "container", directory: settings.directory, initial });
}

function isBound(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(false)));
  });
}
