import type { DriftWorld } from "@slipway/provider-kit/chaos";
import type { OrbstackControl } from "../../emulator/control.ts";

/**
 * OrbStack as a world that drifts: somebody at the Mac stops, deletes and renames machines, makes others, and a machine
 * has another address. Of the emulator's control object; a machine that is gone is left so.
 *
 * @example
 * ```ts
 * import { orbstackEmulator } from "@slipway/provider-orbstack/emulator";
 *
 * const world = orbstackWorld(orbstackEmulator().control);
 * ```
 */
export function orbstackWorld(control: OrbstackControl): DriftWorld {
  return {
    stop: (nativeId) => control.stop(nativeId),
    remove: (nativeId) => control.remove(nativeId),
    rename: (nativeId, name) => control.rename(nativeId, name),
    addUnmanaged: () => control.addUnmanaged(),
    changeAddress: (nativeId) => control.changeAddress(nativeId),
  };
}
