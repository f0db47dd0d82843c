import { randomUUID } from "node:crypto";
import type { FaultScript } from "@slipway/provider-kit/emulator";
import { readInside } from "@slipway/provider-kit/sandbox";
import { parseTag, TAG_PATH } from "../src/tags.ts";
import { giveBackAddress, takeAddress } from "./addresses.ts";
import { blank } from "./create.ts";
import { type Daemon, endProcesses, eraseFiles, find, withState } from "./daemon.ts";
import { layoutOf } from "./machine-root.ts";
import type {
  CommandFault,
  EngineSettings,
  EngineState,
  Latencies,
  MachinePhase,
  MachineRecord,
  OrbState,
} from "./state.ts";

/** A machine as it really is, whatever a list says. */
export interface SeenMachine {
  /** Its id. */
  readonly nativeId: string;
  readonly name: string;
  readonly owner: string | null;
  readonly key: string | null;
  readonly live: true;
  readonly state: MachinePhase;
  readonly ip4: string | null;
}

/** What a test sees and does behind the command's back. A machine is meant by its id or its name; a RangeError if it is not there. */
export interface OrbstackControl {
  /** All but the copies that stand for snapshots. */
  readonly machines: () => Promise<readonly SeenMachine[]>;
  /** The names of the copies that stand for snapshots. */
  readonly snapshots: () => Promise<readonly string[]>;
  /** How many writes have had an effect. */
  readonly changes: () => Promise<number>;
  /** The latest calls, oldest first. */
  readonly log: () => Promise<OrbState["log"]>;
  /** How often everything was stopped by a `stop` without a name. */
  readonly engineStops: () => Promise<number>;
  readonly stop: (machine: string) => Promise<void>;
  readonly remove: (machine: string) => Promise<void>;
  readonly rename: (machine: string, name: string) => Promise<void>;
  /** A running machine of somebody else's; answers its id. */
  readonly addUnmanaged: (name?: string) => Promise<string>;
  readonly changeAddress: (machine: string) => Promise<void>;
  readonly setEngine: (engine: EngineState) => Promise<void>;
  readonly setVersion: (version: string) => Promise<void>;
  readonly setEngineSettings: (engineSettings: Partial<EngineSettings>) => Promise<void>;
  readonly setLatencies: (latencies: Partial<Latencies>) => Promise<void>;
  /** How many addresses are left. */
  readonly setIpPool: (left: number) => Promise<void>;
  readonly addFaults: (...faults: readonly CommandFault[]) => Promise<void>;
  readonly clearFaults: () => Promise<void>;
  /** Those that no call has met yet. */
  readonly waitingFaults: () => Promise<readonly CommandFault[]>;
  /** Faults by the contract's methods, for calls of this process. */
  readonly faults: FaultScript;
}

export function orbstackControl(daemon: Daemon, faults: FaultScript): OrbstackControl {
  const on = (selector: string, change: (machine: MachineRecord, state: OrbState) => unknown): Promise<void> =>
    withState(daemon, async (state) => {
      const machine = find(state, selector);
      if (machine === undefined) throw new RangeError(`there is no ${selector}`);
      await change(machine, state);
      state.changes += 1;
    });
  const set = (changes: Partial<OrbState>): Promise<void> =>
    withState(daemon, (state) => void Object.assign(state, changes));
  return {
    faults,
    machines: () =>
      withState(daemon, (state) =>
        state.machines.filter(({ name }) => !isSnapshot(name)).map((each) => seen(daemon, each)),
      ),
    snapshots: () => withState(daemon, (state) => state.machines.map(({ name }) => name).filter(isSnapshot)),
    changes: () => withState(daemon, ({ changes }) => changes),
    log: () => withState(daemon, ({ log }) => log),
    engineStops: () => withState(daemon, ({ engineStops }) => engineStops),
    stop: (selector) =>
      on(selector, async (machine, state) => {
        await endProcesses(daemon, machine);
        giveBackAddress(state, machine);
        Object.assign(machine, { state: "stopped", steps: [], stoppedFirst: true });
      }),
    remove: (selector) =>
      on(selector, async (machine, state) => {
        await eraseFiles(daemon, machine);
        giveBackAddress(state, machine);
        state.machines = state.machines.filter((other) => other !== machine);
      }),
    rename: (selector, name) =>
      on(selector, (machine, state) => {
        if (state.machines.some((other) => other.name === name)) throw new RangeError(`${name} is taken`);
        machine.name = name;
      }),
    addUnmanaged: (name = `unmanaged-${randomUUID().slice(0, 8)}`) =>
      withState(daemon, (state) => {
        if (state.machines.some((other) => other.name === name)) throw new RangeError(`${name} is taken`);
        state.made += 1;
        const image = { distro: "alpine", version: "3.22", arch: "arm64", variant: "default" } as const;
        const record: MachineRecord = { ...blank(daemon, state, name, image), state: "running" };
        takeAddress(state, record);
        state.machines.push(record);
        return record.id;
      }),
    changeAddress: (selector) =>
      on(selector, (machine, state) => {
        if (machine.ip4 === undefined) return;
        giveBackAddress(state, machine);
        takeAddress(state, machine);
      }),
    setEngine: (engine) => set({ engine }),
    setVersion: (version) => set({ version }),
    setIpPool: (ipPoolLeft) => set({ ipPoolLeft }),
    setEngineSettings: (engineSettings) =>
      withState(daemon, (state) => void (state.engineSettings = { ...state.engineSettings, ...engineSettings })),
    setLatencies: (latencies) =>
      withState(daemon, (state) => void (state.latencyMs = { ...state.latencyMs, ...latencies })),
    addFaults: (...added) =>
      withState(
        daemon,
        (state) => void state.faults.push(...added.map((fault) => ({ ...fault, left: fault.times ?? 1 }))),
      ),
    clearFaults: () => set({ faults: [] }),
    waitingFaults: () => withState(daemon, ({ faults: waiting }) => waiting),
  };
}

function isSnapshot(name: string): boolean {
  return name.startsWith("snap-");
}

function seen({ directory }: Daemon, { id, name, state, ip4 }: MachineRecord): SeenMachine {
  const tag = parseTag(readInside(layoutOf(directory, id).root, TAG_PATH) ?? "");
  const own = tag?.id === id ? tag : null;
  return {
    nativeId: id,
    name,
    owner: own?.owner ?? null,
    key: own?.key ?? null,
    live: true,
    state,
    ip4: ip4 ?? null,
  };
}
