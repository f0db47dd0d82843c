import type { ClusterProvider } from "@slipway/core";
import { clusterProvider } from "@slipway/provider-kit/cluster";
import type { AppleContainerContext } from "../context.ts";
import { appleContainerRuntime } from "./runtime.ts";

/** Kubernetes clusters whose nodes are containers of this Mac. */
export function appleContainerCluster(context: AppleContainerContext): ClusterProvider {
  return clusterProvider(appleContainerRuntime(context));
}
