import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EmulatorProgram, scaledClock } from "@slipway/provider-kit/emulator";
import { containerEmulator } from "./emulator.ts";

export interface ServeOptions {
  /** How many times as fast as the real one time passes; 1 if absent. */
  readonly speed?: number | undefined;
}

/** A program that is `container` as far as any process of this machine can tell, and a Mac behind it that is empty. */
export async function serve({ speed = 1 }: ServeOptions = {}): Promise<EmulatorProgram> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-container-"));
  const program = join(directory, "container");
  const settings = `export SLIPWAY_CONTAINER_EMULATOR='${directory}' SPEED=${speed}`;
  // A provider's commands get few variables: so the program brings its own.
  writeFileSync(program, `#!/bin/sh\n${settings}\nexec '${process.execPath}' ${programWords()} "$@"\n`);
  chmodSync(program, 0o755);
  const mac = containerEmulator({ directory, clock: scaledClock(speed) });
  return {
    program,
    variables: { SLIPWAY_CONTAINER: program },
    close: async () => {
      await mac.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** From the package it is a JavaScript file beside this one; from the sources a TypeScript file, and its siblings too. */
function programWords(): string {
  const fromSources = import.meta.url.endsWith(".ts");
  const file = fileURLToPath(new URL(fromSources ? "./executable.ts" : "./executable.js", import.meta.url));
  return fromSources ? `--conditions=@slipway/source '${file}'` : `'${file}'`;
}
