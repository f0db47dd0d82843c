import type { Instance } from "./instance.ts";
import type { CallOptions, GpuOptions, NetworkOptions, TailscaleOptions, TerminateByOptions } from "./options.ts";
import type { CostMethods } from "./price.ts";
import type { AnswerOf } from "./shape.ts";
import type { Snapshot, SnapshotMethods } from "./snapshot.ts";
import type { SpotMethods, SpotOptions } from "./spot.ts";
import type { VolumeMethods, VolumeMount, WarmVolumeMethods } from "./volume.ts";

/** One provider's own types, in a bag, so that a later addition breaks nobody who merged a capability. */
export interface ProviderTypes {
  readonly instance: Instance;
  readonly snapshot: Snapshot;
  /** What its `spawn` takes. */
  readonly spawn: object;
}

/**
 * What each capability unlocks: `methods` on the provider, options of `spawn`, fields of `list`'s filter. Open for
 * declaration merging: a package adds its own by `declare module "@slipway/core" { interface CapabilityMap<T> { … } }`
 * and describes it at run time with `defineCapability`. Options are written as required here; the contract makes each
 * optional. The parameter's name `T` is part of the public API, since a merged interface must repeat it.
 */
export interface CapabilityMap<T extends ProviderTypes = ProviderTypes> {
  readonly snapshots: { methods: SnapshotMethods<T["snapshot"]>; spawn: { fromSnapshot: string } };
  readonly spot: { methods: SpotMethods<T["spawn"]>; spawn: { spot: SpotOptions } };
  readonly gpu: { spawn: { gpu: GpuOptions } };
  readonly multiRegion: { methods: RegionMethods; spawn: { region: string }; list: { region: string } };
  readonly persistentVolumes: { methods: VolumeMethods; spawn: { volumes: readonly VolumeMount[] } };
  readonly warmVolumes: { methods: WarmVolumeMethods; spawn: { warmVolume: string } };
  readonly hibernation: { methods: HibernationMethods<T["instance"]>; spawn: { hibernation: boolean } };
  readonly costExplorer: { methods: CostMethods };
  readonly tailscaleNative: { spawn: { tailscale: TailscaleOptions } };
  /** Unlocks no method: it is the promise of CONTRACT §1, which a signature can require. */
  readonly idempotentSpawn: object;
  readonly customNetworking: { spawn: { network: NetworkOptions } };
  /** Beside the eleven: an end that comes by itself (CONTRACT §4, EXP). */
  readonly terminateBy: { spawn: TerminateByOptions };
}

/** The eleven that core itself defines. */
export type BuiltinCapability =
  | "snapshots"
  | "spot"
  | "gpu"
  | "multiRegion"
  | "persistentVolumes"
  | "warmVolumes"
  | "hibernation"
  | "costExplorer"
  | "tailscaleNative"
  | "idempotentSpawn"
  | "customNetworking";

/** Core's own beside the eleven: a provider that does not name one does not have it. */
export type FurtherCapability = "terminateBy";

// Not `keyof CapabilityMap`: the compiler's messages then say "Capability".
/** Every capability known to this program: the eleven and all that packages merged. */
export type Capability = { [K in keyof CapabilityMap]: K }[keyof CapabilityMap];

type BuiltinFlags = { readonly [K in BuiltinCapability]: boolean };
type MergedFlags = { readonly [K in Exclude<Capability, BuiltinCapability>]?: boolean };
/** A provider's flags at run time: all eleven, and those of third parties that it has. An interface, so that messages say its name. */
export interface CapabilityFlags extends BuiltinFlags, MergedFlags {}

/** The type of an option or method whose capability is off. A plain property, so that two copies of core stay compatible. */
export interface Lacks<C extends Capability> {
  readonly lacksCapability: C;
}

/** Where a capability shows: on the provider, in `spawn`'s options, in `list`'s filter. */
export type Aspect = "methods" | "spawn" | "list";
export type CapabilityPart<
  K extends Capability,
  A extends Aspect,
  T extends ProviderTypes = ProviderTypes,
> = CapabilityMap<T>[K] extends { readonly [_ in A]: infer U } ? U : unknown;
type Names<A extends Aspect> = { [K in Capability]: keyof CapabilityPart<K, A> }[Capability];
/** Method or option -> the capability that unlocks it. */
type Owners<A extends Aspect> = {
  [N in Names<A>]: { [K in Capability]: N extends keyof CapabilityPart<K, A> ? K : never }[Capability];
};
type OptionTypes<A extends "spawn" | "list"> = {
  [N in Names<A>]: {
    [K in Capability]: N extends keyof CapabilityPart<K, A> ? CapabilityPart<K, A>[N] : never;
  }[Capability];
};

export type CapabilityMethodName = Names<"methods">;

// The intersection is built through function parameters: a union of capabilities that unlock nothing would else
// swallow the methods of the others.
/** The methods that the capabilities in C unlock. */
export type CapabilityMethods<C extends Capability, T extends ProviderTypes> = [C] extends [never]
  ? unknown
  : { [K in C]: (methods: CapabilityPart<K, "methods", T>) => void }[C] extends (methods: infer All) => void
    ? All
    : never;

/** Every capability's options: those in C as they are, the others typed `Lacks`, so that a variable cannot smuggle them in. */
export type CapabilityOptions<C extends Capability, A extends "spawn" | "list"> = {
  readonly [N in Names<A>]?:
    | (Owners<A>[N] extends C ? OptionTypes<A>[N] : Lacks<Owners<A>[N]> & OptionTypes<A>[N])
    | undefined;
};

/** In a definition: the methods of capabilities that are off must not be there. */
export type LackedMethods<C extends Capability> = {
  readonly [N in CapabilityMethodName as Owners<"methods">[N] extends C ? never : N]?: Lacks<Owners<"methods">[N]>;
};

/** At least one name, and no open array. */
export type CapabilityNames = readonly [Capability, ...Capability[]];
type IsUnion<U, Each = U> = U extends unknown ? ([Each] extends [U] ? false : true) : never;
/** The names that are single literals; a name of type `"a" | "b"` proves nothing. */
export type Named<N extends CapabilityNames> = { [I in keyof N]: IsUnion<N[I]> extends true ? never : N[I] }[number];

/** Unlocked by `hibernation`. Only an instance spawned with `hibernation: true` can; another is INVALID_STATE. */
export interface HibernationMethods<TInstance extends Instance> {
  /** Resolves when the remote accepted it; the memory is kept. On one that is hibernated already it changes nothing. */
  readonly hibernate: (instanceId: string, call?: CallOptions) => Promise<TInstance>;
  /** Resolves when the remote accepted it. On a running one it changes nothing. */
  readonly resume: (instanceId: string, call?: CallOptions) => Promise<TInstance>;
}

export interface Region {
  readonly id: string;
  readonly name: string;
}

/** Unlocked by `multiRegion`. */
export interface RegionMethods {
  /** The regions that this provider was configured with: `spawn` takes no other, and `list` covers them all. */
  readonly listRegions: (call?: CallOptions) => Promise<readonly Region[]>;
}

export const regionShape: AnswerOf<Region> = { id: "id", name: "text" };
