#!/usr/bin/env node
/**
 * `orbctl`, emulated, for whatever wants a program: point SLIPWAY_ORBCTL at it. What it remembers lies in the directory that
 * SLIPWAY_ORBCTL_EMULATOR names, for all processes that name the same; without the variable, below HOME. Time runs SPEED
 * times as fast as the real one, as the first of them said.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { diskStateStore, runAsProgram, scaledClock, statePath } from "@slipway/provider-kit/emulator";
import { orbstackEmulator } from "./emulator.ts";
import { initialState, type OrbState } from "./state.ts";

const { env } = process;
const speed = Number(env["SPEED"] ?? "1");

if (!(speed > 0 && Number.isFinite(speed))) {
  process.stderr.write("SPEED must be a number above 0\n");
  process.exitCode = 78;
} else if ((env["HOME"] ?? "") === "") {
  // Before anything is read or written: without it there is no place for a state either.
  process.stderr.write("panic: $HOME is not defined\n");
  process.exitCode = 2;
} else {
  main(directory(env["HOME"] ?? "")).catch((error: unknown) => {
    process.stderr.write(`[fake] ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 70;
  });
}

/** The commands of a provider pass few variables on, and HOME always: so HOME alone is enough. */
function directory(home: string): string {
  const named = env["SLIPWAY_ORBCTL_EMULATOR"] ?? "";
  return named === "" ? join(home, ".slipway-orbctl-emulator") : named;
}

async function main(shared: string): Promise<void> {
  mkdirSync(shared, { recursive: true, mode: 0o700 });
  const argv = process.argv.slice(2);
  const initial = (): OrbState => initialState({ origin: Date.now(), speed });
  const time = await diskStateStore(statePath(shared), { initial }).update((state) => {
    state.begun = true;
    return { origin: state.origin, speed: state.speed };
  });
  const emulator = orbstackEmulator({ directory: shared, clock: scaledClock(time.speed, { origin: time.origin }) });
  const wantsStdin = ["run", "exec", "shell"].includes(argv[0] ?? "");
  await runAsProgram(wantsStdin, (given) => emulator.orbctl(argv, { env, ...given }));
}
