import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { scaledClock } from "@slipway/provider-kit/emulator";
import { type ContainerEmulator, containerEmulator, serve } from "../emulator/index.ts";

/** The emulator's program, from its source. */
export const PROGRAM: string = fileURLToPath(new URL("../emulator/executable.ts", import.meta.url));
const SPEED = 50;

/** A program that is `container` as far as a terminal can tell, and the Mac behind it. */
export interface EmulatedProgram {
  readonly path: string;
  readonly directory: string;
  readonly mac: ContainerEmulator;
  readonly close: () => Promise<void>;
}

export async function emulatedProgram(): Promise<EmulatedProgram> {
  const { program: path, close } = await serve({ speed: SPEED });
  const directory = dirname(path);
  // The same Mac, for the test itself.
  const mac = containerEmulator({ directory, clock: scaledClock(SPEED) });
  return { path, directory, mac, close };
}
