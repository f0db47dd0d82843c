import { rmSync } from "node:fs";
import type { Clock } from "@slipway/core";
import type { StateStore } from "@slipway/provider-kit/emulator";
import { endSandbox } from "@slipway/provider-kit/sandbox";
import { giveBackAddress, takeAddress } from "./addresses.ts";
import { daemonRefusal, notFound } from "./answer.ts";
import { sandboxOf } from "./machine-root.ts";
import type { MachinePhase, MachineRecord, OrbState } from "./state.ts";

/** The engine's daemon: what it remembers, and where the machines' files and processes are. It outlives every client. */
export interface Daemon {
  readonly store: StateStore<OrbState>;
  readonly clock: Clock;
  /** Everything that lies on a disk. */
  readonly directory: string;
  /** Keeps simulated time where it is while real processes work. */
  readonly real: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Reads or changes the state in one step, after everything has happened whose time has come. */
export function withState<R>(daemon: Daemon, change: (state: OrbState) => R | Promise<R>): Promise<R> {
  return daemon.store.update((state) => {
    settle(state, daemon.clock.now());
    return change(state);
  });
}

/** What was begun goes on by the clock alone, whether its client still waits or not. */
function settle(state: OrbState, now: number): void {
  for (const machine of [...state.machines]) {
    while (machine.steps[0] !== undefined && machine.steps[0].at <= now) {
      const [step] = machine.steps.splice(0, 1);
      if (step !== undefined) enter(state, machine, step.to, step.at);
    }
  }
  state.ghosts = state.ghosts.filter(({ until }) => until > now);
}

function enter(state: OrbState, machine: MachineRecord, to: MachinePhase, at: number): void {
  machine.state = to;
  ARRIVALS[to]?.(state, machine, at);
}

/** What happens when a machine comes to a state. */
const ARRIVALS: { readonly [Phase in MachinePhase]?: (state: OrbState, machine: MachineRecord, at: number) => void } = {
  running: (state, machine) => {
    takeAddress(state, machine);
    // It boots, finds no address, and what was half made is removed.
    if (machine.ip4 === undefined) drop(state, machine);
  },
  stopped: (state, machine) => {
    giveBackAddress(state, machine);
    machine.stoppedFirst = true;
  },
  gone: (state, machine, at) => {
    drop(state, machine);
    if (!machine.stoppedFirst && !state.engineSettings.leakIps) giveBackAddress(state, machine);
    state.ghosts.push({ machine: { ...machine, state: "deleting" }, until: at + state.engineSettings.staleListMs });
  },
};

function drop(state: OrbState, machine: MachineRecord): void {
  state.machines = state.machines.filter((other) => other !== machine);
  for (const key of Object.keys(state.config)) {
    if (key.startsWith(`machine.${machine.name}.`)) delete state.config[key];
  }
  if (state.default === machine.name) state.default = null;
}

/** By name first, then by id. */
export function find(state: OrbState, selector: string): MachineRecord | undefined {
  return state.machines.find(({ name }) => name === selector) ?? state.machines.find(({ id }) => id === selector);
}

export function mustFind(state: OrbState, selector: string): MachineRecord {
  const machine = find(state, selector);
  if (machine === undefined) throw notFound(selector);
  return machine;
}

const STABLE: ReadonlySet<MachinePhase> = new Set(["running", "stopped"]);

/** Nothing may be asked of a machine that is on its way. */
export function assertStable(machine: MachineRecord, to: MachinePhase): void {
  if (!STABLE.has(machine.state)) throw daemonRefusal(`cannot transition from ${machine.state} to ${to}`);
}

/** Ends a machine's processes; what it wrote stays, but for `/tmp`. */
export async function endProcesses(daemon: Daemon, machine: MachineRecord): Promise<void> {
  if (machine.sandbox === undefined) return;
  await daemon.real(() => endSandbox(sandboxOf(daemon.directory, machine.id)));
  delete machine.sandbox;
}

/** Ends its processes and removes its files. */
export async function eraseFiles(daemon: Daemon, machine: MachineRecord): Promise<void> {
  await endProcesses(daemon, machine);
  rmSync(sandboxOf(daemon.directory, machine.id).directory, { recursive: true, force: true });
}

/** Waits on the daemon's clock as its client does: an aborted client leaves, and the daemon goes on. */
export async function wait(daemon: Daemon, ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await daemon.clock.sleep(ms, signal);
  if (signal.aborted) throw signal.reason;
}
