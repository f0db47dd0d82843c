import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmulatorProgram, scaledClock, writeProgram } from "@slipway/provider-kit/emulator";
import { containerEmulator } from "./emulator.ts";

export interface ServeOptions {
  /** How many times as fast as the real one time passes; 1 if absent. */
  readonly speed?: number | undefined;
}

/**
 * A program that is `container` as far as any process of this machine can tell, and a Mac behind it that is empty.
 *
 * @example
 * ```ts
 * // A program of the name `container`, as the command takes it: its folder comes first in PATH.
 * const { variables } = await serve();
 * console.log(variables);
 * ```
 */
export async function serve({ speed = 1 }: ServeOptions = {}): Promise<EmulatorProgram> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-container-"));
  const program = join(directory, "container");
  const variables = { SLIPWAY_CONTAINER_EMULATOR: directory, SPEED: String(speed) };
  writeProgram(program, { beside: import.meta.url, module: "executable", variables });
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
