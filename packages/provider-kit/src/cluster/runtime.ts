import type { CallOptions, Clock, ClusterExecResult, ExecOptions, Logger, PortMapping } from "@slipway/core";

/** What a node is made of. Everything but the image, the name and the ports is the same for every runtime. */
export interface NodeSpec {
  /** Unique on the runtime, and the hostname inside. */
  readonly name: string;
  readonly role: "control-plane" | "worker";
  readonly image: string;
  /** The node is found by them alone: they have to be readable for a node that is stopped, too. */
  readonly labels: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Appear on 127.0.0.1. Without a `hostPort` the runtime takes a free one. */
  readonly ports: readonly (Omit<PortMapping, "hostPort"> & { readonly hostPort?: number | undefined })[];
  readonly environment: Readonly<Record<string, string>>;
  /** Directories in memory, as systemd wants them. */
  readonly tmpfs: readonly string[];
}

/** A node as the runtime finds it now. */
export interface RuntimeNode {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly status: "pending" | "running" | "stopped" | "unknown";
  /** Only while it runs: it may be another one after the next start. */
  readonly address?: string | undefined;
  readonly ports: readonly PortMapping[];
  /** ISO 8601 UTC; null where the runtime does not tell. */
  readonly createdAt: string | null;
}

/** What every method of a runtime is told. */
export interface RuntimeCall {
  /** What the user called, for the errors. */
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a container runtime has to be able to do so that `clusterProvider` makes Kubernetes clusters of its containers.
 * There is no word of Kubernetes in it. Everything rejects with a ProviderError whose effect is true.
 */
export interface ClusterRuntime {
  /** The provider's name. */
  readonly name: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly defaults: { readonly image: string; readonly cpus: number; readonly memoryBytes: number };
  /** Why a cluster can have one node only, as a sentence; null if it can have more. */
  readonly oneNodeOnly: (call: RuntimeCall) => Promise<string | null>;
  /** Resolves when the image is there. */
  readonly ensureImage: (call: RuntimeCall, image: string) => Promise<void>;
  /**
   * Makes a privileged container (all capabilities, nothing of /proc and /sys masked) and starts its image's own first
   * process. CONFLICT if the name is taken.
   */
  readonly createNode: (call: RuntimeCall, spec: NodeSpec) => Promise<void>;
  /** Starts one that is stopped; idempotent. */
  readonly startNode: (call: RuntimeCall, id: string) => Promise<void>;
  /** Every container that bears this owner's label and a cluster's, stopped ones too. Complete, or it rejects. */
  readonly nodes: (call: RuntimeCall) => Promise<readonly RuntimeNode[]>;
  /** Also one that runs; resolves for one that is gone. */
  readonly removeNode: (call: RuntimeCall, id: string) => Promise<void>;
  /** A program with its argument list, never through a shell. A non-zero exit is a result. */
  readonly exec: (
    call: RuntimeCall,
    id: string,
    argv: readonly string[],
    options: Pick<ExecOptions, "stdin" | "onStdout" | "onStderr"> & Pick<CallOptions, "timeoutMs">,
  ) => Promise<ClusterExecResult>;
  /** What the first process printed. */
  readonly logs: (call: RuntimeCall, id: string) => Promise<string>;
}

/** The labels by which nodes are found, and what they say. */
export const NODE_LABELS = {
  cluster: "dev.slipway.cluster",
  role: "dev.slipway.role",
  owner: "dev.slipway.owner",
  /** A digest of the config: another one under the same name is a conflict. */
  config: "dev.slipway.config",
  /** Where the kubeconfig was merged. */
  kubeconfig: "dev.slipway.kubeconfig",
} as const;
