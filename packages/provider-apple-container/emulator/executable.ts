#!/usr/bin/env node
/**
 * `container`, emulated, for whatever wants a program: point SLIPWAY_CONTAINER at it. What it remembers lies in the directory
 * that SLIPWAY_CONTAINER_EMULATOR names, for all processes that name the same; time runs SPEED times as fast as the real one.
 */
import { diskStateStore, runAsProgram, scaledClock, statePath } from "@slipway/provider-kit/emulator";
import { containerEmulator } from "./emulator.ts";
import { initialState, type MachineState } from "./state.ts";

const directory = process.env["SLIPWAY_CONTAINER_EMULATOR"];
const speed = Number(process.env["SPEED"] ?? "1");
const SIGNALS_THAT_COUNT = 3;

if (directory === undefined || directory === "" || !(speed > 0)) {
  process.stderr.write("SLIPWAY_CONTAINER_EMULATOR must name a directory, and SPEED, if it is set, a number above 0\n");
  process.exitCode = 78;
} else {
  main(directory).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 70;
  });
}

async function main(shared: string): Promise<void> {
  const argv = process.argv.slice(2);
  // Processes that share a state share its time.
  const initial = (): MachineState => initialState({ origin: Date.now() });
  const { origin } = await diskStateStore(statePath(shared), { initial }).read();
  const emulator = containerEmulator({ directory: shared, clock: scaledClock(speed, { origin }) });
  if (argv[0] === "exec") ignoreSignals();
  const wantsStdin = argv.some((word) => word === "--interactive" || word === "-i");
  await runAsProgram(wantsStdin, (given) => emulator.container(argv, given));
}

/** Signals are not passed on to the program inside; the third ends the command, and the program goes on. */
function ignoreSignals(): void {
  let seen = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      seen += 1;
      if (seen < SIGNALS_THAT_COUNT) return;
      process.stderr.write("Received 3 SIGINT/SIGTERM's, forcefully exiting.\n");
      process.exit(1);
    });
  }
}
