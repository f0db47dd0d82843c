import type { ExecMethods, Instance, Provider, ProviderRegistration, Snapshot } from "@slipway/core";

export interface LambdaInstance extends Instance {
  readonly rack: string;
}
/** No extras: an alias. It makes no snapshots. */
export type LambdaProvider = Provider<LambdaInstance, never, "gpu" | "persistentVolumes">;

export interface LocalInstance extends Instance {
  readonly isolation: "namespaces" | "process group";
}
export interface LocalSnapshot extends Snapshot {
  readonly directory: string;
}
/** With extras: an interface, which keeps its name in messages. */
export interface LocalProvider extends Provider<LocalInstance, LocalSnapshot, "snapshots">, ExecMethods {
  readonly pause: (id: string) => Promise<void>;
}

export interface AwsInstance extends Instance {
  readonly amiId: string;
}
export interface AwsSnapshot extends Snapshot {
  readonly amiId: string;
}
export type AwsProvider = Provider<
  AwsInstance,
  AwsSnapshot,
  | "snapshots"
  | "spot"
  | "gpu"
  | "multiRegion"
  | "persistentVolumes"
  | "hibernation"
  | "costExplorer"
  | "idempotentSpawn"
  | "customNetworking"
>;

export declare const lambda: LambdaProvider;
export declare const local: LocalProvider;
export declare const aws: AwsProvider;
export declare const erased: Provider;
export declare const hooks: ProviderRegistration["hooks"];
