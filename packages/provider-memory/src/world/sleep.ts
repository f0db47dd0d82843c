import type { Machine } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { bootAfter, closeLedger, move, openLedger, type Remote, taggedMachineAt, thenFor } from "./remote.ts";

/** Keeps the memory and gives back the processor. What sleeps already is left as it is. */
export function suspendMachine(world: Remote, region: string, id: string, at: number): Machine {
  const machine = checked(world, region, id);
  if (machine.state === "suspending" || machine.state === "suspended") return machine;
  if (machine.state !== "active") throw passing(machine, "building", "waking", "draft");
  world.changes += 1;
  const suspending = move(world, machine, "suspending", at);
  thenFor(world, suspending, at + world.settings.hibernateMs, (current, when) => {
    move(world, current, "suspended", when, { publicIp: null });
    closeLedger(world, id, when);
  });
  return suspending;
}

export function wakeMachine(world: Remote, region: string, id: string, at: number): Machine {
  const machine = checked(world, region, id);
  if (machine.state === "waking" || machine.state === "active") return machine;
  if (machine.state !== "suspended") throw passing(machine, "suspending");
  world.changes += 1;
  const waking = move(world, machine, "waking", at);
  openLedger(world, waking, at);
  bootAfter(world, waking, at, world.settings.bootMs, null);
  return waking;
}

function checked(world: Remote, region: string, id: string): Machine {
  const machine = taggedMachineAt(world, region, id);
  refuseEnded(machine);
  if (!machine.suspendable) throw new Refusal("wrong-state", `machine ${id} was not made to be suspended`);
  return machine;
}

/** Refuses a machine that is gone or going, in the words that fit. */
export function refuseEnded(machine: Machine): void {
  if (machine.reason?.code === "reclaimed") throw new Refusal("reclaimed", `machine ${machine.id} was reclaimed`);
  if (machine.state === "deleted") throw new Refusal("not-found", `machine ${machine.id} is deleted`);
}

/** The refusal of a state that passes by itself, or of one that does not. */
export function passing(machine: Machine, ...passes: readonly string[]): Refusal {
  return new Refusal(
    passes.includes(machine.state) ? "in-transition" : "wrong-state",
    `machine ${machine.id} is ${machine.state}`,
  );
}
