import type {
  BaseSpawnOptions,
  Capability,
  Clock,
  ClusterConfig,
  ErrorCode,
  ErrorScope,
  Provider,
  ProviderRegistration,
  Register,
  SpawnOptions,
} from "@slipway/core";
import type { Fault } from "@slipway/provider-kit/emulator";

/** An instance as the remote itself holds it, told by something other than the provider under test. */
export interface InspectedInstance {
  readonly nativeId: string;
  readonly owner: string | null;
  readonly key: string | null;
  /** Is it there and not terminated: does it cost money? */
  readonly live: boolean;
}

/** A volume that Slipway did not make, for a case that tries to delete it. */
export interface UnmanagedVolume {
  /** As `deleteVolume` takes it. */
  readonly id: string;
  readonly isThere: () => Promise<boolean>;
  readonly remove: () => Promise<void>;
}

/**
 * Looks at the remote without the provider under test: the emulator's own state, the process table, another client.
 * It sees every write at once, whatever lag the provider's reads have.
 */
export interface Inspector {
  readonly instances: () => Promise<readonly InspectedInstance[]>;
  /** Names or ids of snapshots and volumes that are there. Absent where the provider has neither. */
  readonly snapshots?: () => Promise<readonly string[]>;
  readonly volumes?: () => Promise<readonly string[]>;
  /** Makes an instance that Slipway did not make: without our tag, or with the given name only. Answers its native id. */
  readonly addUnmanaged?: (name?: string) => Promise<string>;
  /** Is this native id of an unmanaged machine still there, untouched? */
  readonly hasUnmanaged?: (nativeId: string) => Promise<boolean>;
  /** Makes a volume that Slipway did not make, attached to nothing. */
  readonly addUnmanagedVolume?: () => Promise<UnmanagedVolume>;
  /** Makes a running instance end by itself, as a crash or an interruption would. */
  readonly crash?: (nativeId: string) => Promise<void>;
  /**
   * From now on the remote shows a running instance in a state that the provider does not know, as one that the remote may
   * introduce one day. The instance runs on, and can be ended. Absent where the remote cannot be made to.
   */
  readonly showUnknownState?: (nativeId: string) => Promise<void>;
  /** A hidden write: undone creations and the like also count. Rises with every change of the remote. */
  readonly changes?: () => Promise<number>;
}

/** Faults that the harness can place at the remote. */
export interface HarnessFaults {
  readonly add: (...faults: readonly Fault[]) => void;
  readonly clear: () => void;
  /** Which of `before`, `after`, `reply-lost`, `delayed`, `stale-read` it can place, and where. */
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  /** Makes the next reads of one region fail; absent where the harness cannot. */
  readonly failRegion?: ((region: string) => void) | undefined;
}

/** What a provider's package says of itself. */
export interface HarnessPackage {
  /** Its package.json. */
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly register: Register;
  /** A config that `register` takes in the tests' environment; without it only refusals are tried. */
  readonly config?: unknown;
  /** Configs that `register` must refuse, beside those that the suite makes up. */
  readonly badConfigs?: readonly unknown[] | undefined;
}

/** One row of a provider's error table: what the remote says, and what the user gets. */
export interface ErrorTableRow {
  /** Unique, as `insufficient-capacity`; a fault is placed by it. */
  readonly id: string;
  readonly operation: string;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope | undefined;
  readonly effect: "none" | "applied" | "unknown";
  /** Provokes it, if not by placing a fault with this row's id. The call must reject. */
  readonly provoke?: ((provider: Provider) => Promise<unknown>) | undefined;
}

/** A fresh world with the provider under test in it, made anew for every case. */
export interface Harness {
  /** Hooks are tested too: so it is a registration. Its provider is the one under test. */
  readonly registration: ProviderRegistration & { readonly provider: Provider };
  /** A request that works here, without a key. The suite adds the key. */
  readonly spawnOptions: () => BaseSpawnOptions;
  /** For each capability that is on and unlocks options of `spawn`: options that work here. */
  readonly capabilityOptions?:
    | { readonly [K in Capability]?: SpawnOptions<Capability> | (() => Promise<SpawnOptions<Capability>>) }
    | undefined;
  /**
   * The same remote through another provider object that shares no memory with the first, as another process would
   * have it; with another owner if one is given.
   */
  readonly another: (options?: { readonly owner?: string }) => Promise<Provider>;
  readonly inspector: Inspector;
  readonly faults?: HarnessFaults | undefined;
  /**
   * From `true` until `false`, something between provider and remote answers every request: a 404 that is not the
   * remote's own, as a gateway without the route does. Absent where nothing can stand between.
   */
  readonly foreignNotFound?: ((on: boolean) => void) | undefined;
  /** The provider's own error table, whole. Every row must be emitted in the run. */
  readonly errorTable?: readonly ErrorTableRow[] | undefined;
  /** The clock that the provider runs on; the suite waits on it and on nothing else. */
  readonly clock: Clock;
  /** A well-formed id of an instance that never was. */
  readonly unknownId: string;
  /** Texts that must never show in an error, an event or a log: the credentials, for example. */
  readonly secrets: readonly string[];
  /** Everything that the provider logged, and the events that it sent, as text. */
  readonly transcript?: (() => string) | undefined;
  /** How long the suite waits, on `clock`, for `running`, a snapshot, a bootstrap. Milliseconds. */
  readonly patienceMs?: number | undefined;
  /** How far off a `terminateBy` of the suite's is; 120 s if absent. Shorter where real time passes. Milliseconds. */
  readonly terminateByLeadMs?: number | undefined;
  /** The real time that one case may take, as a safety net; 120 s if absent. Milliseconds. */
  readonly caseTimeoutMs?: number | undefined;
  /**
   * A request whose spec differs from `spawnOptions()`, for the rules of a repeated key. If absent, the suite changes
   * the first of labels, expiresAt and bootstrap that the provider honours.
   */
  readonly otherSpawnOptions?: (() => BaseSpawnOptions) | undefined;
  /** Bytes of the volumes that the suite makes; 1 GiB if absent. */
  readonly volumeSizeBytes?: number | undefined;
  /** Where warm volumes are made; the zone of a spawned instance if absent. */
  readonly zone?: string | undefined;
  /** The provider's package: manifest and `register`. */
  readonly package?: HarnessPackage | undefined;
  /** A config for `provision`, without its name; `{}` if absent. */
  readonly clusterConfig?: (() => Omit<ClusterConfig, "name">) | undefined;
  readonly close: () => Promise<void>;
}

/** Makes a harness. Called once for every case. */
export type HarnessFactory = () => Promise<Harness>;
