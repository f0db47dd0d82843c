/** By which label the nodes of one kind of cluster tell their GPU, and which resource a pod asks for. */
export interface Profile {
  readonly gpuResource: string;
  /** The node label that holds the GPU's name. */
  readonly gpuLabel: string;
  /** Taints that a pod with GPUs has to tolerate there. */
  readonly gpuTaints: readonly string[];
}

export type ProfileName = "generic" | "gke" | "eks" | "aks" | "coreweave";

const NVIDIA = { gpuResource: "nvidia.com/gpu", gpuTaints: ["nvidia.com/gpu"] } as const;

/** The kinds of clusters, as data. `generic` needs NVIDIA's GPU feature discovery on the nodes. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  generic: { ...NVIDIA, gpuLabel: "nvidia.com/gpu.product" },
  gke: { ...NVIDIA, gpuLabel: "cloud.google.com/gke-accelerator" },
  eks: { ...NVIDIA, gpuLabel: "karpenter.k8s.aws/instance-gpu-name" },
  aks: { ...NVIDIA, gpuLabel: "nvidia.com/gpu.product", gpuTaints: ["nvidia.com/gpu", "sku"] },
  coreweave: { ...NVIDIA, gpuLabel: "gpu.nvidia.com/class" },
};

/** Where any cluster tells the machine type of a node. */
export const INSTANCE_TYPE_LABEL = "node.kubernetes.io/instance-type";
