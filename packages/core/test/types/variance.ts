// What may stand for what: traps that once let a wrong program through, or refused a right one.
import type {
  CallOptions,
  CapabilitiesOf,
  ClusterNode,
  ClusterProvider,
  Instance,
  InstanceOf,
  Lacks,
  Provider,
  Snapshot,
  SnapshotOf,
  SpawnOptions,
  SpawnOptionsOf,
} from "@slipway/core";
import { same } from "./same.ts";
import { type AwsProvider, aws, erased, type LambdaProvider, type LocalProvider, lambda, local } from "./subject.ts";

export const top: readonly Provider[] = [lambda, local, aws, erased];
export const fewer: Provider<Instance, Snapshot, "snapshots"> = aws;
export const marker: Provider<Instance, Snapshot, "idempotentSpawn"> = aws;
// @ts-expect-error a promise that a signature requires: Lambda does not make it
export const broken: Provider<Instance, Snapshot, "idempotentSpawn"> = lambda;
// @ts-expect-error an erased provider is no LambdaProvider
export const narrowed: LambdaProvider = erased;
// @ts-expect-error one provider's instances are not another's
export const mixed: Provider<import("./subject.ts").AwsInstance> = lambda;

// A promise with a method capability beside it: `unknown` in a union must not swallow the methods.
declare const both: Provider<Instance, Snapshot, "idempotentSpawn" | "snapshots">;
void both.createSnapshot("i", { key: "s" });
// @ts-expect-error and unlocks no others
void both.listRegions();

same<CapabilitiesOf<LambdaProvider>, "gpu" | "persistentVolumes">();
same<CapabilitiesOf<Provider>, never>();
same<InstanceOf<LocalProvider>, import("./subject.ts").LocalInstance>();
same<SnapshotOf<LocalProvider>, import("./subject.ts").LocalSnapshot>();
same<SnapshotOf<LambdaProvider>, Snapshot>();
same<SpawnOptionsOf<LambdaProvider>, SpawnOptions<"gpu" | "persistentVolumes">>();

// A function that takes every SpawnOptions takes those of fewer capabilities, never the other way round.
export const wider: (options: SpawnOptions) => void = (_options: SpawnOptions<"spot">) => undefined;
// @ts-expect-error options with spot do not fit where it is off
export const off: SpawnOptions = { spot: {} } as SpawnOptions<"spot">;
export const none: SpawnOptions<"spot"> = {} as SpawnOptions;
// @ts-expect-error what is off cannot be made by hand either
export const forged: Lacks<"spot"> & { maxUsdPerHour?: number } = { maxUsdPerHour: 1 };

// Methods would be compared bivariantly: a narrower parameter must not pass.
interface NeedsSshKey extends SpawnOptions {
  readonly sshKey: string;
}
declare const narrowSpawn: (options: NeedsSshKey) => Promise<Instance>;
// @ts-expect-error callers of Provider pass no sshKey
export const bivariant: Provider["spawn"] = narrowSpawn;
// @ts-expect-error nor may terminate need more than an id
export const bivariantTerminate: Provider["terminate"] = (_id: string, _call: { readonly force: boolean }) =>
  Promise.resolve();
// Optional extras are the provider's own business.
export const optionalExtra: Provider["terminate"] = (_id: string, _call?: CallOptions & { readonly force?: boolean }) =>
  Promise.resolve();

interface OwnNode extends ClusterNode {
  readonly containerId: string;
}
declare const ownNodes: ClusterProvider<OwnNode>;
export const anyNodes: ClusterProvider = ownNodes;
