export { clusterProvider } from "./cluster-provider.ts";
export {
  contextName,
  type KubeconfigEntry,
  KubeconfigError,
  kubeconfigText,
  mergeKubeconfig,
  removeFromKubeconfig,
} from "./kubeconfig.ts";
export { type ClusterRuntime, NODE_LABELS, type NodeSpec, type RuntimeCall, type RuntimeNode } from "./runtime.ts";
