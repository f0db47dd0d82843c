import type { VolumeSettings } from "./options.ts";

/** A kind of node that a cloud documents. */
export interface MachineType {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus?: { readonly type: string; readonly count: number } | undefined;
  /** List price of the whole node, US dollars; absent where none is published. */
  readonly usdPerHour?: number | undefined;
}

/** What a cloud publishes about its nodes. */
export interface MachineCatalogue {
  /** By the value of the label `node.kubernetes.io/instance-type`. */
  readonly types: Readonly<Record<string, MachineType>>;
  /** When the prices were true, ISO 8601 UTC. */
  readonly pricesAsOf: string;
}

/** What distinguishes the nodes of one kind of cluster, as data. */
export interface Profile {
  /** The resource by which a pod asks for GPUs. */
  readonly gpuResource: string;
  /** The node label that holds the GPU's name. */
  readonly gpuLabel: string;
  /** Taints that a pod with GPUs has to tolerate there. */
  readonly gpuTaints: readonly string[];
  /** Labels that a node must have, each with one of the values: no pod goes to any other. */
  readonly nodeLabels?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly catalogue?: MachineCatalogue | undefined;
  /** The cloud sets this node label to `true` when it is about to take the node back. */
  readonly preemptionLabel?: string | undefined;
  /** Of claims, where the config names none. */
  readonly volumes?: VolumeSettings | undefined;
}

export type ProfileName = "generic" | "gke" | "eks" | "aks" | "coreweave";

const NVIDIA = { gpuResource: "nvidia.com/gpu", gpuTaints: ["nvidia.com/gpu"] } as const;

/** The kinds of clusters. `generic` needs NVIDIA's GPU feature discovery on the nodes. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  generic: { ...NVIDIA, gpuLabel: "nvidia.com/gpu.product" },
  gke: { ...NVIDIA, gpuLabel: "cloud.google.com/gke-accelerator" },
  eks: { ...NVIDIA, gpuLabel: "karpenter.k8s.aws/instance-gpu-name" },
  aks: { ...NVIDIA, gpuLabel: "nvidia.com/gpu.product", gpuTaints: ["nvidia.com/gpu", "sku"] },
  coreweave: { ...NVIDIA, gpuLabel: "gpu.nvidia.com/class" },
};

/** Where any cluster shows the machine type of a node. */
export const INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type";
