import type { CallOptions } from "./options.ts";
import type { AnswerOf, FieldsOf, RequestKind } from "./shape.ts";

export interface ClusterRef {
  readonly name: string;
}

export interface ClusterNodeRef {
  readonly id: string;
}

/** A port of the node, and where it appears on the host. */
export interface PortMapping {
  readonly containerPort: number;
  readonly hostPort: number;
  readonly protocol?: "tcp" | "udp" | undefined;
}

export interface ClusterConfig {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  /** How many nodes, the control plane among them; 1 if absent. */
  readonly nodes?: number | undefined;
  /** The node image; the provider's default if absent. */
  readonly image?: string | undefined;
  /** Per node. */
  readonly cpus?: number | undefined;
  /** Per node, bytes. */
  readonly memoryBytes?: number | undefined;
  readonly portMappings?: readonly PortMapping[] | undefined;
  /** How long to wait for the API server, milliseconds. */
  readonly waitTimeoutMs?: number | undefined;
  /** Where the kubeconfig is merged; nowhere if absent. What was merged goes when the cluster is deleted. */
  readonly kubeconfigPath?: string | undefined;
  /** Make the cluster the kubeconfig's current context; it is left as it is if absent. */
  readonly currentContext?: boolean | undefined;
  /** Keep what was made when a step fails, to look at it. */
  readonly retain?: boolean | undefined;
}

export interface ClusterNode extends ClusterNodeRef {
  readonly name: string;
  readonly cluster: string;
  readonly role: "control-plane" | "worker";
  readonly status: "pending" | "running" | "stopped" | "unknown";
  readonly address?: string;
  readonly image: string;
}

export interface Cluster extends ClusterRef {
  readonly owner: string;
  readonly createdAt: string | null;
  readonly nodes: readonly ClusterNode[];
}

/** Where `provision` has come to. */
export interface ClusterStep {
  /** The field's word for it, as `kubeadm-init`: the one that the error of a failure names too. */
  readonly name: string;
  /** What is being done, for a person. */
  readonly title: string;
}

export interface ProvisionOptions extends CallOptions {
  /** Called as each step begins; must not throw. */
  readonly onStep?: ((step: ClusterStep) => void) | undefined;
}

export interface ClusterExecOptions extends CallOptions {
  readonly stdin?: string | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
}

/** A non-zero exit is a result. */
export interface ClusterExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Kubernetes clusters whose nodes are containers of one runtime. A runtime supplies these methods and no Kubernetes
 * code. It takes references, so that a provider's own node type stays an output.
 */
export interface ClusterProvider<out TNode extends ClusterNode = ClusterNode> {
  readonly name: string;
  readonly owner: string;
  /**
   * The same config again completes what is there; another config under the same name is CONFLICT. A failure takes away
   * what was half made, unless `retain` says otherwise, and its message names the step.
   */
  readonly provision: (config: ClusterConfig, call?: ProvisionOptions) => Promise<Cluster>;
  /** This owner's clusters. Complete, or it throws. */
  readonly listClusters: (call?: CallOptions) => Promise<readonly Cluster[]>;
  /** Found by labels, never by name; an unknown cluster has none. */
  readonly listNodes: (cluster: ClusterRef, call?: CallOptions) => Promise<readonly TNode[]>;
  /** Idempotent: nodes that are gone, and an empty list, resolve. */
  readonly deleteNodes: (nodes: readonly ClusterNodeRef[], call?: CallOptions) => Promise<void>;
  /** An https URL that the host reaches, read live: it may change at every start. */
  readonly getApiServerEndpoint: (cluster: ClusterRef, call?: CallOptions) => Promise<string>;
  /** Runs a program in a node with an argument list, never through a shell. */
  readonly execInContainer: (
    nodeId: string,
    argv: readonly string[],
    options?: ClusterExecOptions,
  ) => Promise<ClusterExecResult>;
}

export const clusterConfigShape: FieldsOf<ClusterConfig, RequestKind | "clusterName"> = {
  name: "clusterName",
  "nodes?": "whole",
  "image?": "text",
  "cpus?": "above0",
  "memoryBytes?": "above0",
  "portMappings?": [{ containerPort: "port", hostPort: "port", "protocol?": { oneOf: { tcp: true, udp: true } } }],
  "waitTimeoutMs?": "above0",
  "kubeconfigPath?": "text",
  "currentContext?": "flag",
  "retain?": "flag",
};
export const clusterNodeShape: AnswerOf<ClusterNode> = {
  id: "id",
  name: "text",
  cluster: "text",
  role: { oneOf: { "control-plane": true, worker: true } },
  status: { oneOf: { pending: true, running: true, stopped: true, unknown: true } },
  "address?": "text",
  image: "text",
};
export const clusterShape: AnswerOf<Cluster> = {
  name: "id",
  owner: "text",
  createdAt: "time or null",
  nodes: [clusterNodeShape],
};
