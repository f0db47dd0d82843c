import type { Clock } from "@slipway/core";
import { type FaultScript, faultScript, type SimulatedClock, simulatedClock } from "@slipway/provider-kit/emulator";
import { endpoint, type Transport } from "./endpoint.ts";
import { machineFaults } from "./machine-faults.ts";
import { type Remote, remote } from "./remote.ts";
import {
  type CapacityRule,
  type MemoryQuotas,
  type MemoryWorldSettings,
  type WorldSettings,
  withDefaults,
} from "./settings.ts";
import { unmanaged } from "./unmanaged.ts";
import { worldSettings } from "./world-settings.ts";

/** A machine as the remote itself holds it, without any lag. */
export interface WorldInstance {
  readonly nativeId: string;
  readonly region: string;
  readonly zone: string;
  readonly name: string;
  readonly owner: string | null;
  readonly key: string | null;
  /** The remote's own word. */
  readonly state: string;
  /** Is it there and not terminated: does it cost money? */
  readonly live: boolean;
}

export interface WorldVolume {
  readonly nativeId: string;
  readonly owner: string | null;
  readonly key: string | null;
  readonly state: string;
  /** The machine that it is attached to. */
  readonly attachedTo: string | null;
}

export interface WorldSnapshot {
  readonly nativeId: string;
  readonly owner: string | null;
  readonly key: string | null;
  readonly state: string;
}

/**
 * The remote itself. Any number of providers, of one owner or several, work over one world and share nothing else, as
 * processes do. Its control functions are for tests: they act at once, look without lag, and throw a RangeError for a
 * native id that is not there.
 */
export interface MemoryWorld<out TClock extends Clock = Clock> {
  readonly clock: TClock;
  /** What the world was made with, defaults filled in. */
  readonly settings: WorldSettings;
  /** Faults for the next requests, by contract method or wire operation. `row` is an id of `memoryErrorTable`. */
  readonly faults: FaultScript;
  /** How many writes from outside have changed anything; a repeated request that changes nothing does not count. */
  readonly changes: number;
  readonly instances: () => readonly WorldInstance[];
  readonly volumes: () => readonly WorldVolume[];
  readonly snapshots: () => readonly WorldSnapshot[];
  /** The machine ends by itself, at once: `terminated`. */
  readonly crash: (nativeId: string) => void;
  /** The machine is there and does not work: `error`. */
  readonly fail: (nativeId: string, text?: string) => void;
  /** Somebody halted the machine by other means: `stopped`. */
  readonly stop: (nativeId: string) => void;
  /** The remote takes interruptible capacity back: `terminating`, then `terminated`. */
  readonly interruptSpot: (nativeId: string) => void;
  /** Gives a machine a state that no table knows: `unknown`. */
  readonly setState: (nativeId: string, state: string) => void;
  /** The machine is gone without a trace: no read finds it any more. */
  readonly remove: (nativeId: string) => void;
  /** Gives a machine another name; its tag stays. */
  readonly rename: (nativeId: string, name: string) => void;
  /** As a restart by somebody else would. */
  readonly changeAddress: (nativeId: string) => void;
  readonly failSnapshot: (nativeId: string) => void;
  /** Somebody else's machine: without a tag, under any name. Answers its native id. */
  readonly addUnmanaged: (name?: string) => string;
  /** Somebody else's volume: without a tag, attached to nothing. */
  readonly addUnmanagedVolume: () => {
    readonly region: string;
    readonly nativeId: string;
    readonly isThere: () => boolean;
    readonly remove: () => void;
  };
  /** Is that machine still there as it was made? */
  readonly hasUnmanaged: (nativeId: string) => boolean;
  /** Replaces the rule of the same place. */
  readonly setCapacity: (rule: CapacityRule) => void;
  readonly setQuotas: (quotas: MemoryQuotas) => void;
  /** USD per hour; null: the remote no longer tells. */
  readonly setPrice: (spec: string, usdPerHour: number | null) => void;
  readonly setSpotFactor: (factor: number) => void;
  readonly setRegionDown: (region: string, down: boolean) => void;
  /** A cluster's node stops. `restart` brings it back, at another address. */
  readonly stopNode: (nodeId: string) => void;
  readonly restartNode: (nodeId: string) => void;
  /** The wire. Providers speak over it; a test has no need of it. */
  readonly transport: Transport;
}

/**
 * @example
 * ```ts
 * import { memory } from "@slipway/provider-memory";
 *
 * const world = memoryWorld();
 * const one = memory({ owner: "me", world });
 * const other = memory({ owner: "me", world }); // as from another process: they share the remote alone
 * ```
 */
export function memoryWorld(settings?: Omit<MemoryWorldSettings, "clock">): MemoryWorld<SimulatedClock>;
export function memoryWorld<TClock extends Clock>(
  settings: MemoryWorldSettings<TClock> & { readonly clock: TClock },
): MemoryWorld<TClock>;
export function memoryWorld(settings: MemoryWorldSettings): MemoryWorld;
export function memoryWorld(settings: MemoryWorldSettings = {}): MemoryWorld {
  const { clock = simulatedClock(), ...given } = settings;
  const filled = withDefaults(given);
  const world = remote(filled, clock);
  const faults = faultScript(filled.seed);
  const present = (): Remote => {
    world.timeline.settle(clock.now());
    return world;
  };
  return {
    clock,
    settings: filled,
    faults,
    transport: endpoint(world, faults),
    get changes() {
      return world.changes;
    },
    ...looks(present),
    ...machineFaults(present),
    ...unmanaged(present),
    ...worldSettings(present),
  };
}

type Looks = Pick<MemoryWorld, "instances" | "volumes" | "snapshots">;

function looks(present: () => Remote): Looks {
  return {
    instances: () =>
      present()
        .machines.all()
        .map(({ id, region, zone, name, tag, state }) => ({
          nativeId: id,
          region,
          zone,
          name,
          owner: tag?.owner ?? null,
          key: tag?.key ?? null,
          state,
          live: state !== "deleted",
        })),
    volumes: () =>
      present()
        .disks.all()
        .map(({ id, tag, state, machine }) => ({
          nativeId: id,
          owner: tag?.owner ?? null,
          key: tag?.key ?? null,
          state,
          attachedTo: machine,
        })),
    snapshots: () =>
      present()
        .captures.all()
        .map(({ id, tag, state }) => ({ nativeId: id, owner: tag?.owner ?? null, key: tag?.key ?? null, state })),
  };
}
