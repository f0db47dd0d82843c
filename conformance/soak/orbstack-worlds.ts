import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock, Exec } from "@slipway/core";
import { commandRunner } from "@slipway/provider-kit/command";
import { type SeededRandom, scaledClock } from "@slipway/provider-kit/emulator";
import { initialState, type OrbstackControl, orbstackEmulator } from "@slipway/provider-orbstack/emulator";
import { COMMAND_FAULTS, PROGRAM_FAULTS } from "./orbstack-trouble.ts";

/** A Mac for a storm. */
export interface StormWorld {
  readonly clock: Clock;
  readonly exec: Exec;
  readonly control: OrbstackControl;
  readonly variables: Readonly<Record<string, string>>;
  /** Before each operation: what shall go wrong at the command. */
  readonly trouble: (random: SeededRandom) => Promise<void>;
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
export function inProcess(seed: number): StormWorld {
  const { clock, exec, control, close } = orbstackEmulator({ seed });
  control.faults.add(...COMMAND_FAULTS.map(({ fault }) => ({ ...fault, times: Number.POSITIVE_INFINITY })));
  const kindOf = new Map(
    COMMAND_FAULTS.map(({ kind, fault }) => [`${fault.operation} ${fault.when} ${fault.row}`, kind]),
  );
  return {
    clock,
    exec,
    control,
    variables: { HOME: "/home/storm" },
    trouble: async () => undefined,
    placed: async () =>
      control.faults.placed.map(({ operation, when, row }) => kindOf.get(`${operation} ${when} ${row}`) ?? "another"),
    calm: async () => control.faults.clear(),
    napMs: 90_000,
    settleMs: 3_600_000,
    close,
  };
}

const executable = fileURLToPath(
  new URL("../../packages/provider-orbstack/src/emulator/executable.ts", import.meta.url),
);
const SPEED = 4;
const TROUBLE_CHANCE = 0.35;

/** The emulator as a program that is started for each command, with its state on a disk and real time. */
export function asPrograms(): StormWorld {
  const home = mkdtempSync(join(tmpdir(), "slipway-storm-"));
  const directory = join(home, ".slipway-orbctl-emulator");
  const program = join(home, "orbctl");
  mkdirSync(directory);
  // Its many modules are compiled once.
  const command = `NODE_COMPILE_CACHE="${join(home, "compiled")}" exec "${process.execPath}"`;
  writeFileSync(program, `#!/bin/sh\n${command} --conditions=@slipway/source "${executable}" "$@"\n`);
  chmodSync(program, 0o755);
  const origin = Date.now();
  const latencyMs = { create: 3_000, start: 1_000, stop: 1_000, delete: 300, clone: 1_000 };
  writeFileSync(join(directory, "state.json"), JSON.stringify(initialState({ origin, speed: SPEED, latencyMs })));
  const clock = scaledClock(SPEED, { origin });
  const { control, close } = orbstackEmulator({ directory, clock });
  const placed: string[] = [];
  /** One that nothing has met does not count, and is not there for ever. */
  const takeBack = async (): Promise<void> => {
    const left = await control.waitingFaults();
    if (left.length > 0) placed.splice(-left.length);
    await control.clearFaults();
  };
  return {
    clock,
    exec: commandRunner({ clock, killGraceMs: 200 }),
    control,
    variables: { HOME: home, SLIPWAY_ORBCTL: program },
    trouble: async (random) => {
      if (random.next() >= TROUBLE_CHANCE) return;
      await takeBack();
      const chosen = PROGRAM_FAULTS[random.whole(PROGRAM_FAULTS.length)];
      if (chosen === undefined) return;
      await control.addFaults(chosen.fault);
      placed.push(chosen.kind);
    },
    placed: async () => placed,
    calm: takeBack,
    napMs: 5_000,
    settleMs: 10_000,
    close: async () => {
      await close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
