import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { abortError, type Clock, type Operation } from "@slipway/core";
import { type FileLock, fileLock, isLocked, type Sandbox, tryFileLock } from "@slipway/provider-kit/sandbox";
import { failure, PROVIDER_NAME, translated } from "../errors.ts";
import { makeDirectory } from "./durable-file.ts";
import {
  type InstanceRecord,
  instanceRecord,
  type SnapshotRecord,
  snapshotRecord,
  type VolumeRecord,
  volumeRecord,
} from "./records.ts";
import { type Shelf, shelf } from "./shelf.ts";

/** What is kept on disk. */
export type Kind = "instances" | "snapshots" | "volumes";

/** All that this provider knows, on disk: two processes with the same directory see the same. */
export interface State {
  readonly directory: string;
  readonly instances: Shelf<InstanceRecord>;
  readonly snapshots: Shelf<SnapshotRecord>;
  readonly volumes: Shelf<VolumeRecord>;
  /**
   * Runs `work` while no other process works on the name. Waits for one that does; a dead one's lock is taken over.
   * Throws `busy` after `patienceMs`, CANCELLED or TIMEOUT with effect `none` when the signal ends.
   */
  readonly locked: <T>(kind: Kind, name: string, call: LockedCall, work: () => Promise<T>) => Promise<T>;
  /** Runs `work` like `locked`, unless a live process works on the name now. */
  readonly ifFree: (kind: Kind, name: string, work: () => Promise<void>) => Promise<void>;
  /** Does a live process work on the name now? */
  readonly isWorkedOn: (kind: Kind, name: string) => Promise<boolean>;
}

export interface LockedCall {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

export interface StateOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly patienceMs: number;
}

/** `$XDG_STATE_HOME/slipway/local`, or the same under `~/.local/state`. */
export function defaultStateDirectory(variables: Readonly<Record<string, string | undefined>> = process.env): string {
  const given = variables["XDG_STATE_HOME"];
  // The specification says that a relative path is to be ignored.
  const base =
    given !== undefined && isAbsolute(given) ? given : join(variables["HOME"] ?? homedir(), ".local", "state");
  return join(base, "slipway", "local");
}

export function openState({ directory, clock, patienceMs }: StateOptions): State {
  const locks = join(directory, "locks");
  const lockPath = (kind: Kind, name: string): string => join(locks, `${kind}.${name}`);

  const lock = async (path: string, { operation, signal }: LockedCall): Promise<FileLock> => {
    await makeDirectory(locks);
    const begun = clock.now();
    const wait = async (attempt: number): Promise<boolean> => {
      if (clock.now() - begun > patienceMs) return false;
      await clock.sleep(Math.min(2 + attempt, 25), signal);
      return true;
    };
    try {
      const taken = await fileLock(path, wait);
      if (taken !== null) return taken;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      throw abortError(signal, { provider: PROVIDER_NAME, operation, effect: "none" });
    }
    throw failure("busy", operation, `another process has held ${path} for ${patienceMs} ms`);
  };

  return {
    directory,
    instances: shelf(join(directory, "instances"), instanceRecord),
    snapshots: shelf(join(directory, "snapshots"), snapshotRecord),
    volumes: shelf(join(directory, "volumes"), volumeRecord),
    ifFree: async (kind, name, work) => {
      await makeDirectory(locks);
      const held = await tryFileLock(lockPath(kind, name));
      try {
        if (held !== null) await work();
      } finally {
        await held?.release();
      }
    },
    isWorkedOn: (kind, name) => isLocked(lockPath(kind, name)),
    locked: async (kind, name, call, work) => {
      const held = await lock(lockPath(kind, name), call).catch((error: unknown) => {
        throw translated(error, call.operation, "none");
      });
      try {
        return await work();
      } finally {
        await held.release();
      }
    },
  };
}

/** The directory of an instance, as its sandbox sees it. */
export function sandboxOf(state: State, name: string, record: InstanceRecord): Omit<Sandbox, "process"> {
  const { id, isolation, network } = record;
  return { id, isolation, network, directory: state.instances.directoryOf(name) };
}

/** Where a snapshot's copy and a volume's content lie in their directory. */
export const CONTENT = "content";

export function contentOf(shelf: Pick<Shelf<never>, "directoryOf">, name: string): string {
  return join(shelf.directoryOf(name), CONTENT);
}
