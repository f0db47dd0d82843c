import type { CostMethods } from "./cost.ts";
import type { GpuOptions } from "./gpu.ts";
import type { HibernationMethods } from "./hibernation.ts";
import type { Instance } from "./instance.ts";
import type { NetworkOptions } from "./network.ts";
import type { RegionMethods } from "./region.ts";
import type { Snapshot, SnapshotMethods } from "./snapshot.ts";
import type { SpotMethods, SpotOptions } from "./spot.ts";
import type { TailscaleOptions } from "./tailscale.ts";
import type { TerminateByOptions } from "./terminate-by.ts";
import type { Volume, VolumeMethods, VolumeMount } from "./volume.ts";
import type { WarmVolumeMethods } from "./warm-volume.ts";

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

type BuiltinKeys<K extends BuiltinCapability, A extends Aspect> = Extract<keyof CapabilityPart<K, A>, string>;

/** How a method's result is copied when a provider is projected. */
export type ResultKind =
  | "instance"
  | "instances"
  | "snapshot"
  | "snapshots"
  | "volume"
  | "volumes"
  | "spotRequest"
  | "spotPrices"
  | "regions"
  | "costs"
  /** The method answers nothing; whatever the remote said stays behind. */
  | "nothing"
  /** A JSON-safe copy of all that the method answers. */
  | "plain";

/** All that is known of one method of the contract before it is called. */
export interface OperationRow {
  /** How its result is copied when a provider is projected. */
  readonly result: ResultKind;
  /** Can it change the remote? */
  readonly writes: boolean;
  /** Which argument carries `signal` and `timeoutMs`. */
  readonly callArgument: number;
  /** The first argument is the id of such a thing. */
  readonly takes?: "instance" | "snapshot" | "volume" | "spotRequest";
  /** The first argument is a request, checked as this method's is. */
  readonly checks?: "spawn" | "list";
}

type ResultOf<R> = [R] extends [void]
  ? "nothing"
  : [R] extends [Instance | null]
    ? "instance"
    : [R] extends [readonly Instance[]]
      ? "instances"
      : [R] extends [Snapshot | null]
        ? "snapshot"
        : [R] extends [readonly Snapshot[]]
          ? "snapshots"
          : [R] extends [Volume | null]
            ? "volume"
            : [R] extends [readonly Volume[]]
              ? "volumes"
              : Exclude<
                  ResultKind,
                  "nothing" | "instance" | "instances" | "snapshot" | "snapshots" | "volume" | "volumes"
                >;

/** What a method must be given beside an id; never where an id is enough, or nothing. */
export type RequestOf<M> = M extends (...args: infer Args) => unknown
  ? Args extends readonly [string]
    ? never
    : Args extends readonly [string, infer Request] | readonly [infer Request]
      ? Request
      : never
  : never;

/** The rows of these methods: what a method answers, and whether it takes an id, its signature says. */
export type OperationRows<Methods> = {
  readonly [N in keyof Methods]: Methods[N] extends (...args: infer Args) => Promise<infer R>
    ? OperationRow & { readonly result: ResultOf<R> } & ([Args[0]] extends [string]
          ? Required<Pick<OperationRow, "takes">>
          : { readonly takes?: never })
    : never;
};

export interface CapabilityRow {
  readonly methods: Readonly<Record<string, OperationRow>>;
  readonly spawn: Readonly<Record<string, true>>;
  readonly list: Readonly<Record<string, true>>;
}

/** The run-time twin of `CapabilityMap`; the compiler demands every method and option of the eleven here. */
export const capabilityTable: {
  readonly [K in BuiltinCapability]: {
    readonly methods: OperationRows<Pick<CapabilityPart<K, "methods">, BuiltinKeys<K, "methods">>>;
    readonly spawn: Readonly<Record<BuiltinKeys<K, "spawn">, true>>;
    readonly list: Readonly<Record<BuiltinKeys<K, "list">, true>>;
  };
} = {
  snapshots: {
    methods: {
      createSnapshot: { result: "snapshot", writes: true, callArgument: 1, takes: "instance" },
      getSnapshotStatus: { result: "plain", writes: false, callArgument: 1, takes: "snapshot" },
      deleteSnapshot: { result: "nothing", writes: true, callArgument: 1, takes: "snapshot" },
      listSnapshots: { result: "snapshots", writes: false, callArgument: 1 },
    },
    spawn: { fromSnapshot: true },
    list: {},
  },
  spot: {
    methods: {
      requestSpotInstance: { result: "spotRequest", writes: true, callArgument: 0, checks: "spawn" },
      cancelSpotRequest: { result: "nothing", writes: true, callArgument: 1, takes: "spotRequest" },
      getSpotPrices: { result: "spotPrices", writes: false, callArgument: 1 },
    },
    spawn: { spot: true },
    list: {},
  },
  gpu: { methods: {}, spawn: { gpu: true }, list: {} },
  multiRegion: {
    methods: { listRegions: { result: "regions", writes: false, callArgument: 0 } },
    spawn: { region: true },
    list: { region: true },
  },
  persistentVolumes: {
    methods: {
      createVolume: { result: "volume", writes: true, callArgument: 0 },
      listVolumes: { result: "volumes", writes: false, callArgument: 1 },
      deleteVolume: { result: "nothing", writes: true, callArgument: 1, takes: "volume" },
    },
    spawn: { volumes: true },
    list: {},
  },
  warmVolumes: {
    methods: {
      warmVolume: { result: "volume", writes: true, callArgument: 0 },
      claimWarmVolume: { result: "volume", writes: true, callArgument: 0 },
      releaseWarmVolume: { result: "nothing", writes: true, callArgument: 1, takes: "volume" },
    },
    spawn: { warmVolume: true },
    list: {},
  },
  hibernation: {
    methods: {
      hibernate: { result: "instance", writes: true, callArgument: 1, takes: "instance" },
      resume: { result: "instance", writes: true, callArgument: 1, takes: "instance" },
    },
    spawn: { hibernation: true },
    list: {},
  },
  costExplorer: {
    methods: { getCosts: { result: "costs", writes: false, callArgument: 0 } },
    spawn: {},
    list: {},
  },
  tailscaleNative: { methods: {}, spawn: { tailscale: true }, list: {} },
  idempotentSpawn: { methods: {}, spawn: {}, list: {} },
  customNetworking: { methods: {}, spawn: { network: true }, list: {} },
};

/** The rows of those beside the eleven. */
export const furtherCapabilities: Readonly<Record<FurtherCapability, CapabilityRow>> = {
  terminateBy: { methods: {}, spawn: { terminateBy: true }, list: {} },
};

/** The eleven, in the order of the documentation: that of the table. */
// Its keys are these names and no other.
export const BUILTIN_CAPABILITIES: readonly BuiltinCapability[] = Object.keys(capabilityTable) as BuiltinCapability[];
