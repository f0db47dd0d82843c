import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import type { Cloud } from "./cloud.ts";
import { canPlace } from "./faults.ts";

/** For tests: looks at the remote and changes it without a request. */
export interface __Name__EmulatorControl {
  readonly faults: FaultScript;
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  readonly instances: () => readonly {
    readonly nativeId: string;
    readonly owner: string | null;
    readonly key: string | null;
    readonly live: boolean;
  }[];
  /** A machine that Slipway did not make; answers its id. */
  readonly addUnmanaged: (name?: string) => string;
  readonly hasUnmanaged: (nativeId: string) => boolean;
  /** A machine ends by itself. */
  readonly crash: (nativeId: string) => void;
  // #if persistentVolumes
  readonly volumes: () => readonly string[];
  // #end
  // #if snapshots
  readonly snapshots: () => readonly string[];
  // #end
  /** Rises with every change. */
  readonly changes: () => number;
}

export function controlOf(cloud: Cloud, faults: FaultScript): __Name__EmulatorControl {
  return {
    faults,
    supports: canPlace,
    instances: () =>
      [...cloud.machines.values()].map((machine) => ({
        nativeId: machine.id,
        owner: machine.tags["slipway-owner"] ?? null,
        key: machine.tags["slipway-key"] ?? null,
        live: cloud.isLive(machine),
      })),
    addUnmanaged: (name = "by-hand") => cloud.create({ name, type: "small", tags: {} }).id,
    hasUnmanaged: (nativeId) => {
      const machine = cloud.machines.get(nativeId);
      return machine !== undefined && cloud.isLive(machine);
    },
    crash: (nativeId) => {
      const machine = cloud.machines.get(nativeId);
      if (machine !== undefined) machine.crashed = true;
    },
    // #if persistentVolumes
    volumes: () => [...cloud.disks.keys()],
    // #end
    // #if snapshots
    snapshots: () => [...cloud.captures.keys()],
    // #end
    changes: () => cloud.changes,
  };
}
