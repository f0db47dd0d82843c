import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scaledClock } from "@slipway/provider-kit/emulator";
import { type ContainerEmulator, containerEmulator } from "../src/emulator/index.ts";

/** The emulator's program, from its source. */
export const PROGRAM: string = fileURLToPath(new URL("../src/emulator/executable.ts", import.meta.url));
const SPEED = 50;

/** A program that is `container` as far as a terminal can tell, and the Mac behind it. */
export interface EmulatedProgram {
  readonly path: string;
  readonly directory: string;
  readonly mac: ContainerEmulator;
  readonly close: () => Promise<void>;
}

export function emulatedProgram(): EmulatedProgram {
  const directory = mkdtempSync(join(tmpdir(), "slipway-exe-"));
  const path = join(directory, "container");
  const settings = `export SLIPWAY_CONTAINER_EMULATOR='${directory}' SPEED=${SPEED}`;
  const line = `exec '${process.execPath}' --conditions=@slipway/source '${PROGRAM}' "$@"`;
  writeFileSync(path, `#!/bin/sh\n${settings}\n${line}\n`);
  chmodSync(path, 0o755);
  const mac = containerEmulator({ directory, clock: scaledClock(SPEED) });
  const close = async (): Promise<void> => {
    await mac.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { path, directory, mac, close };
}
