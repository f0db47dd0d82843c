import type { Machine } from "./records.ts";
import { machineAt, move, print, type Remote, thenFor } from "./remote.ts";

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
