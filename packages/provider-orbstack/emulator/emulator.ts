import type { Clock, Exec } from "@slipway/core";
import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { commandEmulator } from "@slipway/provider-kit/command";
import { type EmulatedHost, emulatedHost, faultScript, simulatedClock } from "@slipway/provider-kit/emulator";
import { endSandbox } from "@slipway/provider-kit/sandbox";
import { type OrbstackControl, orbstackControl } from "./control.ts";
import { sandboxOf } from "./machine-root.ts";
import { orbctl } from "./orbctl.ts";
import { type EngineSettings, initialState, type Latencies, type OrbState } from "./state.ts";

export interface OrbstackEmulatorSettings {
  /** Simulated if absent: then it stands still while real processes work. */
  readonly clock?: Clock | undefined;
  /** `2.2.3` if absent. */
  readonly version?: string | undefined;
  /** Where the state and the machines' files lie: processes that share it share the Mac. Absent: a new one, which `close` removes. */
  readonly directory?: string | undefined;
  readonly latencyMs?: Partial<Latencies> | undefined;
  readonly engineSettings?: Partial<EngineSettings> | undefined;
  /** How many addresses there are; 250 if absent. */
  readonly ipPool?: number | undefined;
  /** Where a fault's probability is below 1. */
  readonly seed?: number | undefined;
}

export interface OrbctlCallOptions {
  /** Undefined: it was closed. */
  readonly stdin?: string | Uint8Array | undefined;
  /** With HOME alone if absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Ends the client, not what it began. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** A Mac with OrbStack, emulated: the programs in its machines are real processes of this host. */
export interface OrbstackEmulator {
  readonly clock: Clock;
  /** As a command runner: the program's name is not looked at. */
  readonly exec: Exec;
  readonly orbctl: (argv: readonly string[], options?: OrbctlCallOptions) => Promise<ProgramAnswer>;
  readonly control: OrbstackControl;
  /** Ends every process in the machines, and removes the directory if it was this one's own. Call it always. */
  readonly close: () => Promise<void>;
}

/**
 * @example
 * ```ts
 * import { orbstack } from "@slipway/provider-orbstack";
 *
 * const { exec, clock, close } = orbstackEmulator();
 * const machines = orbstack({ owner: "me", runtime: { exec, clock } });
 * await machines.list(); // => []
 * await close();
 * ```
 */
export function orbstackEmulator(settings: OrbstackEmulatorSettings = {}): OrbstackEmulator {
  const clock = settings.clock ?? simulatedClock();
  const daemon = daemonOf(settings, clock);
  const { directory } = daemon;
  const faults = faultScript(settings.seed);
  const call: OrbstackEmulator["orbctl"] = (argv, { env = { HOME: directory }, ...options } = {}) =>
    orbctl(argv, { ...daemon, faults, env, ...options });
  return {
    clock,
    orbctl: call,
    exec: commandEmulator(clock, call),
    control: orbstackControl(daemon, faults),
    close: async () => {
      const { machines } = await daemon.store.read();
      for (const { id, sandbox } of machines) {
        if (sandbox !== undefined) await endSandbox(sandboxOf(directory, id));
      }
      daemon.remove();
    },
  };
}

function daemonOf(settings: OrbstackEmulatorSettings, clock: Clock): EmulatedHost<OrbState> {
  const initial = (): OrbState => {
    const state = initialState({ origin: clock.now() });
    return {
      ...state,
      version: settings.version ?? state.version,
      ipPoolLeft: settings.ipPool ?? state.ipPoolLeft,
      latencyMs: { ...state.latencyMs, ...settings.latencyMs },
      engineSettings: { ...state.engineSettings, ...settings.engineSettings },
    };
  };
  return emulatedHost({ clock, name: "orbstack", directory: settings.directory, initial });
}
