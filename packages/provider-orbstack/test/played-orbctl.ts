import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initialState, orbstackEmulator } from "../src/emulator/index.ts";

const executable = fileURLToPath(new URL("../src/emulator/executable.ts", import.meta.url));

/** The stand-in as a program, with a home of its own. */
export interface PlayedOrbctl {
  readonly path: string;
  readonly home: string;
  readonly close: () => Promise<void>;
}

export async function playedOrbctl(speed: number): Promise<PlayedOrbctl> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-orbctl-"));
  const path = join(folder, "orbctl");
  const directory = join(folder, ".slipway-orbctl-emulator");
  // Its many modules are compiled once.
  const command = `NODE_COMPILE_CACHE="${join(folder, "compiled")}" exec "${process.execPath}"`;
  await writeFile(path, `#!/bin/sh\n${command} --conditions=@slipway/source "${executable}" "$@"\n`);
  await chmod(path, 0o755);
  await mkdir(directory);
  await writeFile(join(directory, "state.json"), JSON.stringify(initialState({ origin: Date.now(), speed })));
  return {
    path,
    home: folder,
    close: async () => {
      await orbstackEmulator({ directory }).close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
