// A class is a provider too: ordinary methods implement the contract's function properties.
import type {
  BootstrapConfig,
  BootstrapScript,
  CapabilityFlags,
  CreateSnapshotOptions,
  Instance,
  InstanceOf,
  ListFilter,
  Provider,
  Snapshot,
  SnapshotStatus,
  SpawnOptions,
} from "@slipway/core";
import { same } from "./same.ts";

abstract class Described {
  readonly name = "mine";
  readonly owner = "o";
  readonly contractVersion = 1;
  readonly tier = "testing";
  readonly limits = { maxUserDataBytes: 1, maxLabels: 1, nameMaxLength: 1, readAfterWriteMs: 0, requestLifeMs: 0 };
  readonly whyNot = {};
  readonly refuses = {};
}

// Eleven flags are enough, also next to a package that merged a twelfth.
const flags = {
  snapshots: true,
  spot: false,
  gpu: false,
  multiRegion: false,
  persistentVolumes: false,
  warmVolumes: false,
  hibernation: false,
  costExplorer: false,
  tailscaleNative: false,
  idempotentSpawn: false,
  customNetworking: false,
} as const satisfies CapabilityFlags;

interface MineInstance extends Instance {
  readonly mine: true;
}
declare const made: MineInstance;
declare const script: BootstrapScript;
declare const shot: Snapshot;

export class Mine extends Described implements Provider<MineInstance, Snapshot, "snapshots"> {
  readonly #secret: string = "s";
  readonly capabilities = flags;
  async spawn(_options: SpawnOptions<"snapshots">): Promise<MineInstance> {
    return this.#secret === "" ? made : made;
  }
  async terminate(_id: string): Promise<void> {}
  async list(_filter?: ListFilter): Promise<MineInstance[]> {
    return [];
  }
  async get(_id: string): Promise<MineInstance | null> {
    return null;
  }
  generateBootstrap(_config: BootstrapConfig): BootstrapScript {
    return script;
  }
  async createSnapshot(_id: string, _options: CreateSnapshotOptions): Promise<Snapshot> {
    return shot;
  }
  async getSnapshotStatus(_id: string): Promise<SnapshotStatus | null> {
    return null;
  }
  async deleteSnapshot(_id: string): Promise<void> {}
  async listSnapshots(): Promise<Snapshot[]> {
    return [];
  }
}
export const erasedMine: Provider = new Mine();
// From spawn, not from list: a class whose list answers [] would give never.
same<InstanceOf<Mine>, MineInstance>();

// @ts-expect-error the type says snapshots; this class has none of the methods
export class Forgetful extends Described implements Provider<Instance, Snapshot, "snapshots"> {
  readonly capabilities = flags;
  async spawn(): Promise<Instance> {
    return made;
  }
  async terminate(): Promise<void> {}
  async list(): Promise<Instance[]> {
    return [];
  }
  async get(): Promise<null> {
    return null;
  }
  generateBootstrap(): BootstrapScript {
    return script;
  }
}

export class Narrow extends Described implements Provider {
  readonly capabilities = flags;
  // @ts-expect-error a method of a class may not demand more than the contract passes
  async spawn(_options: SpawnOptions & { readonly sshKey: string }): Promise<Instance> {
    return made;
  }
  async terminate(): Promise<void> {}
  async list(): Promise<Instance[]> {
    return [];
  }
  async get(): Promise<null> {
    return null;
  }
  generateBootstrap(): BootstrapScript {
    return script;
  }
}
