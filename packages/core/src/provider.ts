import type { BootstrapConfig, BootstrapScript } from "./bootstrap.ts";
import type {
  Capability,
  CapabilityFlags,
  CapabilityMethodName,
  CapabilityMethods,
  CapabilityOptions,
} from "./capability.ts";
import type { Instance } from "./instance.ts";
import type { BaseListFilter, BaseSpawnOptions, CallOptions, RefusableOption } from "./options.ts";
import type { AnswerOf } from "./shape.ts";
import type { Snapshot } from "./snapshot.ts";

/** The version of CONTRACT.md that this core speaks. */
export const CONTRACT_VERSION = 1;

export type ProviderTier = "testing" | "additional" | "reference";

/** One sentence for each capability that is off: what the user is told instead. */
export type WhyNot<On extends Capability = never> = { readonly [K in Exclude<Capability, On>]?: string };

/** What `spawn` takes on a provider with the capabilities C. */
export type SpawnOptions<C extends Capability = never> = BaseSpawnOptions & CapabilityOptions<C, "spawn">;
/** What `list` takes on a provider with the capabilities C. */
export type ListFilter<C extends Capability = never> = BaseListFilter & CapabilityOptions<C, "list">;

/** The data of a provider: what it is called and what it can do. */
export interface ProviderDescription<in C extends Capability> {
  readonly name: string;
  /** `[a-z0-9-]{1,63}`, one per control plane: whose instances these are. */
  readonly owner: string;
  readonly contractVersion: number;
  readonly tier: ProviderTier;
  // `C` stands in this mapped type only: that is what lets `<C>(p: Provider<I, S, C>)` be inferred.
  readonly capabilities: CapabilityFlags & { readonly [K in C]: true };
  readonly limits: ProviderLimits;
  readonly whyNot: WhyNot;
  /** Base options that it cannot honour, with the sentence that UNSUPPORTED carries. */
  readonly refuses: { readonly [K in RefusableOption]?: string };
}

// Readonly function properties, not methods: methods are compared bivariantly, and a provider with a narrower parameter
// would pass the compiler and fail at run time.
/** The five methods of every provider. */
export interface CoreMethods<out TInstance extends Instance, in TSpawn, in TList> {
  /**
   * Starts an instance and resolves when the remote accepted it; its status may still be `pending`. It waits for
   * nothing else, tries no other place, and writes owner and key in the call that creates the instance. On an error the
   * caller reads `effect`: `none` may be repeated if retryable, anything else is looked up by key first.
   */
  readonly spawn: (options: TSpawn) => Promise<TInstance>;
  /**
   * Resolves when the remote accepted it, or says that the instance is gone; an unknown id resolves. Rejects if the
   * outcome is unclear: the caller calls again. It does not wait for the end of billing: control's
   * `terminateAndConfirm` does.
   */
  readonly terminate: (id: string, call?: CallOptions) => Promise<void>;
  /**
   * This owner's instances in every region that the provider was configured with. Complete, or it throws; a remote
   * that is down is UNAVAILABLE, never an empty list.
   */
  readonly list: (filter?: TList, call?: CallOptions) => Promise<readonly TInstance[]>;
  /** Null only if the remote says that there is no such instance, or the id is malformed; every other failure throws. */
  readonly get: (id: string, call?: CallOptions) => Promise<TInstance | null>;
  /** Renders the bootstrap without any call; the same config gives the same bytes. Throws INVALID_SPEC. */
  readonly generateBootstrap: (config: BootstrapConfig) => BootstrapScript;
}

/**
 * A provider of compute instances with at least the capabilities C. Plain `Provider` is the top type: any provider.
 * A signature that needs something says so: `(p: Provider<Instance, Snapshot, "snapshots">) => …`.
 */
export type Provider<
  TInstance extends Instance = Instance,
  TSnapshot extends Snapshot = Snapshot,
  C extends Capability = never,
> = ProviderDescription<C> &
  CoreMethods<TInstance, SpawnOptions<C>, ListFilter<C>> &
  CapabilityMethods<C, { readonly instance: TInstance; readonly snapshot: TSnapshot; readonly spawn: SpawnOptions<C> }>;

// From spawn's result, not from list's: a class with `async list() { return [] }` would give never.
export type InstanceOf<P> = P extends { readonly spawn: (options: never) => Promise<infer I extends Instance> }
  ? I
  : never;
export type SnapshotOf<P> = P extends {
  readonly createSnapshot: (...args: never) => Promise<infer S extends Snapshot>;
}
  ? S
  : Snapshot;
/** The capabilities that a provider's type is sure of. */
export type CapabilitiesOf<P extends { readonly capabilities: object }> = {
  [K in Capability]: P["capabilities"] extends { readonly [_ in K]: true } ? K : never;
}[Capability];
export type SpawnOptionsOf<P extends Provider> = SpawnOptions<CapabilitiesOf<P>>;

/** Members beyond the contract. */
export type Extra<P> = Exclude<keyof P, keyof Provider | CapabilityMethodName>;
export type WithExtras<TProvider, P> = [Extra<P>] extends [never] ? TProvider : TProvider & Pick<P, Extra<P>>;
/** P, and it also has the capabilities C; one Provider with their union, so that options of both fit one call. */
export type Supporting<P extends Provider, C extends Capability> = P extends unknown
  ? WithExtras<Provider<InstanceOf<P>, SnapshotOf<P>, CapabilitiesOf<P> | C>, P>
  : never;
/** P without the capabilities R. */
export type Without<P extends Provider, R extends Capability> = P extends unknown
  ? WithExtras<Provider<InstanceOf<P>, SnapshotOf<P>, Exclude<CapabilitiesOf<P>, R>>, P>
  : never;

/** The remote's limits. They are told apart from capabilities: none of them unlocks a member or an option. */
export interface ProviderLimits {
  /** The most bytes of a rendered bootstrap, after the client's own packing for the wire. */
  readonly maxUserDataBytes: number;
  /** How many labels the caller may give, Slipway's own not counted. */
  readonly maxLabels: number;
  /** The longest display name. */
  readonly nameMaxLength: number;
  /** How long after a write a read may still not show it, milliseconds. */
  readonly readAfterWriteMs: number;
  /**
   * How long after its process has ended a request may still take effect, milliseconds: at least as long as a spawn is
   * waited for, 0 where nothing outlives the process.
   */
  readonly requestLifeMs: number;
  /** How long after its `terminateBy` an instance may still run, milliseconds; absent without that capability. */
  readonly terminateLateMs?: number;
  /**
   * True: `spec` names a place of the remote, as a queue, and not a size, so `resources` may stand beside it. Absent or
   * false: they exclude each other.
   */
  readonly specTakesResources?: boolean | undefined;
}

export const limitsShape: AnswerOf<ProviderLimits> = {
  maxUserDataBytes: "above0",
  maxLabels: "atLeast0",
  nameMaxLength: "above0",
  readAfterWriteMs: "atLeast0",
  requestLifeMs: "atLeast0",
  "terminateLateMs?": "atLeast0",
  "specTakesResources?": "flag",
};
