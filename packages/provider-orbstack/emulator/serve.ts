import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  diskStateStore,
  type EmulatorProgram,
  scaledClock,
  statePath,
  writeProgram,
} from "@slipway/provider-kit/emulator";
import { orbstackEmulator } from "./emulator.ts";
import { initialState, type OrbState } from "./state.ts";

export interface ServeOptions {
  /** How many times as fast as the real one time passes; 1 if absent. */
  readonly speed?: number | undefined;
  /** What the Mac begins with beside that, as its latencies and settings. */
  readonly state?: Partial<OrbState> | undefined;
}

/**
 * A program that is `orbctl` as far as any process of this machine can tell, and a Mac behind it without machines.
 *
 * @example
 * ```ts
 * // A program of the name `orbctl`, as the command takes it: its folder comes first in PATH.
 * const { variables } = await serve();
 * console.log(variables);
 * ```
 */
export async function serve({ speed = 1, state = {} }: ServeOptions = {}): Promise<EmulatorProgram> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-orbstack-"));
  const program = join(directory, "orbctl");
  const { origin = Date.now() } = state;
  const initial = (): OrbState => initialState({ speed, ...state, origin });
  await diskStateStore(statePath(directory), { initial }).update((begun) => {
    begun.begun = true;
  });
  const variables = { SLIPWAY_ORBCTL_EMULATOR: directory, NODE_COMPILE_CACHE: join(directory, "compiled") };
  writeProgram(program, { beside: import.meta.url, module: "executable", variables });
  const mac = orbstackEmulator({ directory, clock: scaledClock(speed, { origin }) });
  return {
    program,
    variables: { SLIPWAY_ORBCTL: program },
    close: async () => {
      await mac.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
