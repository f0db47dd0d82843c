import type { Clock } from "@slipway/core";
import { carriedBootstrap } from "@slipway/provider-kit/bootstrap";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import type { Bid, Capture, Disk, Machine, MachineState, Node, Tag } from "./records.ts";
import { Refusal } from "./refusals.ts";
import type { BootstrapOutcome, CapacityRule, MemoryQuotas, UserData, WorldSettings } from "./settings.ts";
import { type Table, table } from "./table.ts";
import { type Timeline, timeline } from "./timeline.ts";

/** What a machine cost, from when to when; `to` is null while it goes on. */
export interface LedgerEntry {
  readonly machine: string;
  readonly owner: string | null;
  readonly region: string;
  readonly spec: string;
  readonly usdPerHour: number;
  readonly from: number;
  to: number | null;
}

export interface ConsoleLine {
  readonly at: number;
  readonly text: string;
}

/** Everything that the remote remembers. Only the files of this folder touch it. */
export interface Remote {
  readonly settings: WorldSettings;
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly machines: Table<Machine>;
  readonly disks: Table<Disk>;
  readonly captures: Table<Capture>;
  readonly bids: Table<Bid>;
  readonly nodes: Table<Node>;
  readonly generations: Map<string, number>;
  readonly ledger: LedgerEntry[];
  readonly console: Map<string, ConsoleLine[]>;
  /** What machines that are not up yet will run. No part of their records: it may hold secrets, and nobody reads it back. */
  readonly userData: Map<string, UserData>;
  readonly downRegions: Set<string>;
  readonly prices: Map<string, number | null>;
  capacity: readonly CapacityRule[];
  quotas: MemoryQuotas;
  spotFactor: number;
  /** How many writes from outside have changed something. */
  changes: number;
  addresses: number;
}

export function remote(settings: WorldSettings, clock: Clock): Remote {
  const retention = settings.readAfterWriteMs;
  return {
    settings,
    clock,
    timeline: timeline(),
    random: seededRandom(settings.seed),
    machines: table(retention),
    disks: table(retention),
    captures: table(retention),
    bids: table(retention),
    nodes: table(retention),
    generations: new Map(),
    ledger: [],
    console: new Map(),
    userData: new Map(),
    downRegions: new Set(),
    prices: new Map(Object.entries(settings.prices)),
    capacity: settings.capacity,
    quotas: settings.quotas,
    spotFactor: settings.spotFactor,
    changes: 0,
    addresses: 0,
  };
}

export function newId(world: Remote, prefix: string): string {
  let digits = "";
  for (let index = 0; index < 12; index += 1) digits += world.random.whole(16).toString(16);
  return `${prefix}-${digits}`;
}

export function sameTag(a: Tag | null, b: Tag | null): boolean {
  return a !== null && b !== null && a.owner === b.owner && a.key === b.key;
}

export function tagText(tag: Tag): string {
  return `${tag.owner} ${tag.key}`;
}

/** How the remote names a thing to somebody who has to find it from anywhere. */
export function pathOf(thing: { readonly region: string; readonly id: string }): string {
  return `${thing.region}/${thing.id}`;
}

/** Changes a machine's state, and whatever else changes with it. */
export function move(
  world: Remote,
  machine: Machine,
  state: MachineState,
  at: number,
  change: Partial<Machine> = {},
): Machine {
  const moved: Machine = { ...machine, ...change, state, epoch: machine.epoch + 1 };
  world.machines.put(moved, at);
  return moved;
}

/** Plans what becomes of a machine if its state is still the same then. */
export function thenFor(
  world: Remote,
  machine: Machine,
  at: number,
  happen: (machine: Machine, at: number) => void,
): void {
  world.timeline.plan(at, (when) => {
    const current = world.machines.current(machine.id);
    if (current !== undefined && current.epoch === machine.epoch) happen(current, when);
  });
}

export function print(world: Remote, machine: string, at: number, text: string): void {
  const lines = world.console.get(machine) ?? [];
  lines.push({ at, text });
  world.console.set(machine, lines);
}

/** The machine in that region, as it truly is; `not-found` if there is none. */
function machineAt(world: Remote, region: string, id: string): Machine {
  const machine = world.machines.current(id);
  if (machine === undefined || machine.region !== region) throw new Refusal("not-found", `there is no machine ${id}`);
  return machine;
}

/** As `machineAt`, and it bears a tag: nothing else is written to. */
export function taggedMachineAt(world: Remote, region: string, id: string): Machine {
  const machine = machineAt(world, region, id);
  if (machine.tag === null) {
    throw new Refusal("not-ours", `machine ${id} bears no tag of Slipway`, { thing: pathOf(machine) });
  }
  return machine;
}

/** A public and a private address that nobody has had. */
export function newAddresses(world: Remote): readonly [publicIp: string, privateIp: string] {
  const number = ++world.addresses;
  const octets = `${Math.floor(number / 250) % 250}.${(number % 250) + 1}`;
  return [`198.18.${octets}`, `10.0.${octets}`];
}

const MARKER = /^\s*exit (\d{1,3})\s*$/;

/** What the remote does with a bootstrap: it does not run it, it looks how it ends. */
function outcomeOf(world: Remote, userData: UserData): BootstrapOutcome {
  const script = carriedBootstrap(userData)?.script ?? userData.content;
  if (world.settings.runBootstrap !== undefined) return world.settings.runBootstrap({ ...userData, script });
  const last = script
    .split("\n")
    .map((line) => MARKER.exec(line)?.[1])
    .findLast((code) => code !== undefined);
  return { exitCode: last === undefined ? 0 : Number(last) & 0xff };
}

/** Lets a machine come up: addresses, then the bootstrap if it has one and it has not run. */
export function bootAfter(world: Remote, machine: Machine, at: number, ms: number, run: UserData | null): void {
  thenFor(world, machine, at + ms, (current, when) => {
    const [publicIp, privateIp] = newAddresses(world);
    const boot = current.boot?.phase === "queued" ? { ...current.boot, phase: "executing" as const } : current.boot;
    const up = move(world, current, "active", when, {
      publicIp,
      privateIp: current.privateIp ?? privateIp,
      boot,
    });
    print(world, up.id, when, `${up.name} is up`);
    if (run !== null && boot?.phase === "executing") startBootstrap(world, up, when, run);
  });
}

function startBootstrap(world: Remote, machine: Machine, at: number, run: UserData): void {
  print(world, machine.id, at, `bootstrap ${run.checksum} begins`);
  const finish = (when: number): void => {
    const current = world.machines.current(machine.id);
    if (current === undefined || current.boot === null || GONE.has(current.state)) return;
    // While the machine is asleep its bootstrap is too.
    if (ASLEEP.has(current.state)) return world.timeline.plan(when + world.settings.bootstrapMs, finish);
    const { exitCode, output = [] } = outcomeOf(world, run);
    for (const line of output) print(world, machine.id, when, line);
    print(world, machine.id, when, `bootstrap ended with exit code ${exitCode}`);
    const done: Partial<Machine> = { boot: { ...current.boot, phase: "done", exitCode } };
    if (exitCode === 0 || current.state !== "active") {
      world.machines.put({ ...current, ...done }, when);
    } else {
      const reason = { code: "bootstrap-failed", text: `the bootstrap ended with exit code ${exitCode}` };
      move(world, current, "failed", when, { ...done, reason });
    }
  };
  world.timeline.plan(at + world.settings.bootstrapMs, finish);
}

const GONE: ReadonlySet<string> = new Set(["deleting", "deleted", "failed"]);
const ASLEEP: ReadonlySet<string> = new Set(["suspending", "suspended", "waking", "halting", "halted"]);

/** Begins the end of a machine; `deleted` follows by itself. */
export function endMachine(
  world: Remote,
  machine: Machine,
  at: number,
  reason: NonNullable<Machine["reason"]>,
): Machine {
  const deleting = move(world, machine, "deleting", at, { reason });
  print(world, machine.id, at, `${machine.name} ends: ${reason.text}`);
  thenFor(world, deleting, at + world.settings.terminateMs, (current, when) => goneMachine(world, current, when));
  return deleting;
}

/** The machine is gone and costs nothing more; its disks are free again. */
export function goneMachine(
  world: Remote,
  machine: Machine,
  at: number,
  reason: Machine["reason"] = machine.reason,
): void {
  for (const { id } of machine.disks) {
    const disk = world.disks.current(id);
    if (disk?.machine === machine.id) {
      world.disks.put({ ...disk, state: "free", machine: null }, at);
    }
  }
  const gone = move(world, machine, "deleted", at, {
    deletedAt: at,
    publicIp: null,
    privateIp: null,
    disks: [],
    reason,
  });
  closeLedger(world, machine.id, at);
  world.userData.delete(machine.id);
  thenFor(world, gone, at + world.settings.forgetMs, (_, when) => {
    world.machines.remove(machine.id, when);
    world.console.delete(machine.id);
  });
}

export function openLedger(world: Remote, machine: Machine, at: number): void {
  if (machine.usdPerHour === null) return;
  const { id, region, spec, usdPerHour } = machine;
  world.ledger.push({ machine: id, owner: machine.tag?.owner ?? null, region, spec, usdPerHour, from: at, to: null });
}

export function closeLedger(world: Remote, id: string, at: number): void {
  for (const entry of world.ledger) if (entry.machine === id && entry.to === null) entry.to = at;
}

/** What the machine has printed, from a line on. */
export function consoleOf(
  world: Remote,
  region: string,
  id: string,
  from: number,
): { lines: readonly string[]; ended: boolean } {
  const machine = machineAt(world, region, id);
  const lines = (world.console.get(id) ?? []).slice(from);
  return {
    lines: lines.map(({ at, text }) => `${new Date(at).toISOString()} ${text}`),
    ended: machine.state === "deleted",
  };
}
