import type { Aspect, BuiltinCapability, Capability, CapabilityPart, FurtherCapability } from "./capability.ts";
import type { Instance } from "./instance.ts";
import type { CallOptions } from "./options.ts";
import type { Fields, RequestKind, RequestShapeOf, Shape } from "./shape.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Volume } from "./volume.ts";

type Keys<K extends Capability, A extends Aspect> = Extract<keyof CapabilityPart<K, A>, string>;

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
  /** The options that it needs, without those of every call. A field that is not named here is the provider's own. */
  readonly options?: Fields<RequestKind>;
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
          : { readonly takes?: never }) &
        OptionsRow<RequestOf<Methods[N]>>
    : never;
};
type OptionsRow<Request> = [Request] extends [never]
  ? { readonly options?: never }
  : // What `spawn` takes depends on the provider, and nothing in it must be there.
    [object] extends [Request]
    ? { readonly checks: "spawn"; readonly options?: never }
    : { readonly checks?: never; readonly options: RequestShapeOf<Omit<Request, keyof CallOptions>> };

export interface CapabilityRow {
  readonly methods: Readonly<Record<string, OperationRow>>;
  /** What each option must be; `true` where core does not know. */
  readonly spawn: Readonly<Record<string, Shape<RequestKind> | true>>;
  readonly list: Readonly<Record<string, Shape<RequestKind> | true>>;
}

/** The rows of these capabilities; the compiler demands every method and option of each, as its types say. */
export type CapabilityRows<K extends BuiltinCapability | FurtherCapability> = {
  readonly [C in K]: {
    readonly methods: OperationRows<Pick<CapabilityPart<C, "methods">, Keys<C, "methods">>>;
    readonly spawn: RequestShapeOf<Pick<CapabilityPart<C, "spawn">, Keys<C, "spawn">>>;
    readonly list: RequestShapeOf<Pick<CapabilityPart<C, "list">, Keys<C, "list">>>;
  };
};

/** The run-time twin of `CapabilityMap`: all that is known of the eleven. */
export const capabilityTable: CapabilityRows<BuiltinCapability> = {
  snapshots: {
    methods: {
      createSnapshot: {
        result: "snapshot",
        writes: true,
        callArgument: 1,
        takes: "instance",
        options: { key: "key", "name?": "text" },
      },
      getSnapshotStatus: { result: "plain", writes: false, callArgument: 1, takes: "snapshot" },
      deleteSnapshot: { result: "nothing", writes: true, callArgument: 1, takes: "snapshot" },
      listSnapshots: { result: "snapshots", writes: false, callArgument: 1 },
    },
    spawn: { fromSnapshot: "text" },
    list: {},
  },
  spot: {
    methods: {
      requestSpotInstance: { result: "spotRequest", writes: true, callArgument: 0, checks: "spawn" },
      cancelSpotRequest: { result: "nothing", writes: true, callArgument: 1, takes: "spotRequest" },
      getSpotPrices: { result: "spotPrices", writes: false, callArgument: 1 },
    },
    spawn: { spot: { "maxUsdPerHour?": "above0" } },
    list: {},
  },
  gpu: { methods: {}, spawn: { gpu: { "type?": "text", count: "whole" } }, list: {} },
  multiRegion: {
    methods: { listRegions: { result: "regions", writes: false, callArgument: 0 } },
    spawn: { region: "text" },
    list: { region: "text" },
  },
  persistentVolumes: {
    methods: {
      createVolume: {
        result: "volume",
        writes: true,
        callArgument: 0,
        options: { key: "key", sizeBytes: "whole", "region?": "text", "zone?": "text" },
      },
      listVolumes: { result: "volumes", writes: false, callArgument: 1 },
      deleteVolume: { result: "nothing", writes: true, callArgument: 1, takes: "volume" },
    },
    spawn: { volumes: [{ id: "text", mountPath: "path" }] },
    list: {},
  },
  warmVolumes: {
    methods: {
      warmVolume: {
        result: "volume",
        writes: true,
        callArgument: 0,
        options: { key: "key", pool: "text", sizeBytes: "whole", zone: "text" },
      },
      claimWarmVolume: {
        result: "volume",
        writes: true,
        callArgument: 0,
        options: { pool: "text", instanceId: "text" },
      },
      releaseWarmVolume: { result: "nothing", writes: true, callArgument: 1, takes: "volume" },
    },
    spawn: { warmVolume: "text" },
    list: {},
  },
  hibernation: {
    methods: {
      hibernate: { result: "instance", writes: true, callArgument: 1, takes: "instance" },
      resume: { result: "instance", writes: true, callArgument: 1, takes: "instance" },
    },
    spawn: { hibernation: "flag" },
    list: {},
  },
  costExplorer: {
    methods: {
      getCosts: {
        result: "costs",
        writes: false,
        callArgument: 0,
        options: { from: "time", to: "time", "groupBy?": { oneOf: { day: true, instance: true, spec: true } } },
      },
    },
    spawn: {},
    list: {},
  },
  tailscaleNative: {
    methods: {},
    spawn: { tailscale: { authKey: "text", "hostname?": "text", "tags?": ["text"] } },
    list: {},
  },
  idempotentSpawn: { methods: {}, spawn: {}, list: {} },
  customNetworking: {
    methods: {},
    spawn: { network: { "id?": "text", "subnet?": "text", "firewalls?": ["text"], "isolated?": "flag" } },
    list: {},
  },
};

/** The rows of those beside the eleven. */
export const furtherCapabilities: CapabilityRows<FurtherCapability> = {
  terminateBy: { methods: {}, spawn: { terminateBy: "time" }, list: {} },
};

/** The eleven, in the order of the documentation: that of the table. */
// Its keys are these names and no other.
export const BUILTIN_CAPABILITIES: readonly BuiltinCapability[] = Object.keys(capabilityTable) as BuiltinCapability[];
