import { dirname } from "node:path";
import type { Clock, Exec } from "@slipway/core";
import { commandRunner } from "@slipway/provider-kit/command";
import { type SeededRandom, scaledClock } from "@slipway/provider-kit/emulator";
import { type OrbstackControl, orbstackEmulator, serve } from "@slipway/provider-orbstack/emulator";
import { COMMAND_FAULTS, PROGRAM_FAULTS } from "./orbstack-faults.ts";

/** A Mac for a fault run. */
export interface FaultWorld {
  readonly clock: Clock;
  readonly exec: Exec;
  readonly control: OrbstackControl;
  readonly variables: Readonly<Record<string, string>>;
  /** Before each operation: what shall go wrong at the command. */
  readonly placeFaults: (random: SeededRandom) => Promise<void>;
  /** The kinds that were placed at the command, in order. */
  readonly placed: () => Promise<readonly string[]>;
  /** Nothing goes wrong at the command any more. */
  readonly calm: () => Promise<void>;
  /** The longest that an operation does nothing, and how long everything settles in the end; milliseconds on the clock. */
  readonly napMs: number;
  readonly settleMs: number;
  readonly close: () => Promise<void>;
}

/** The emulator in this process, on simulated time. */
export function inProcess(seed: number): FaultWorld {
  const { clock, exec, control, close } = orbstackEmulator({ seed });
  control.faults.add(...COMMAND_FAULTS.map(({ fault }) => ({ ...fault, times: Number.POSITIVE_INFINITY })));
  const kindOf = new Map(
    COMMAND_FAULTS.map(({ kind, fault }) => [`${fault.operation} ${fault.when} ${fault.row}`, kind]),
  );
  return {
    clock,
    exec,
    control,
    variables: { HOME: "/home/faults" },
    placeFaults: async () => undefined,
    placed: async () =>
      control.faults.placed.map(({ operation, when, row }) => kindOf.get(`${operation} ${when} ${row}`) ?? "another"),
    calm: async () => control.faults.clear(),
    napMs: 90_000,
    settleMs: 3_600_000,
    close,
  };
}

const SPEED = 4;
const FAULT_CHANCE = 0.35;

/** The emulator as a program that is started for each command, with its state on a disk and real time. */
export async function asPrograms(): Promise<FaultWorld> {
  const origin = Date.now();
  const latencyMs = { create: 3_000, start: 1_000, stop: 1_000, delete: 300, clone: 1_000 };
  const { program, variables, close } = await serve({ speed: SPEED, state: { origin, latencyMs } });
  const clock = scaledClock(SPEED, { origin });
  const { control } = orbstackEmulator({ directory: dirname(program), clock });
  const placed: string[] = [];
  /** One that nothing has met does not count, and is not there for ever. */
  const undoFaults = async (): Promise<void> => {
    const left = await control.waitingFaults();
    if (left.length > 0) placed.splice(-left.length);
    await control.clearFaults();
  };
  return {
    clock,
    exec: commandRunner({ clock, killGraceMs: 200 }),
    control,
    variables: { ...variables, HOME: dirname(program) },
    placeFaults: async (random) => {
      if (random.next() >= FAULT_CHANCE) return;
      await undoFaults();
      const chosen = PROGRAM_FAULTS[random.whole(PROGRAM_FAULTS.length)];
      if (chosen === undefined) return;
      await control.addFaults(chosen.fault);
      placed.push(chosen.kind);
    },
    placed: async () => placed,
    calm: undoFaults,
    napMs: 5_000,
    settleMs: 10_000,
    close,
  };
}
