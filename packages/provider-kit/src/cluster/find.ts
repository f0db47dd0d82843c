import type { Cluster, ClusterNode } from "@slipway/core";
import { API_SERVER_PORT, refused } from "./cluster-config.ts";
import { type ClusterRuntime, NODE_LABELS, type RuntimeCall, type RuntimeNode } from "./runtime.ts";

export function clusterNameOf({ labels }: RuntimeNode): string {
  return labels[NODE_LABELS.cluster] ?? "";
}

/** This owner's nodes of one cluster, the control plane first. */
export async function nodesOfCluster(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  name: string,
): Promise<readonly RuntimeNode[]> {
  return byName((await runtime.nodes(call)).filter((node) => clusterNameOf(node) === name));
}

/** Names end with the node's number. */
export function byName(nodes: readonly RuntimeNode[]): readonly RuntimeNode[] {
  return nodes.toSorted((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
}

export function nodeFrom(node: RuntimeNode): ClusterNode {
  const { id, name, labels, status, address, image } = node;
  const role = labels[NODE_LABELS.role] === "control-plane" ? "control-plane" : "worker";
  return {
    id,
    name,
    cluster: clusterNameOf(node),
    role,
    status,
    ...(address === undefined || status !== "running" ? {} : { address }),
    image,
  };
}

export function clusterFrom(owner: string, name: string, nodes: readonly RuntimeNode[]): Cluster {
  const times = nodes.map(({ createdAt }) => createdAt).filter((time) => time !== null);
  return { name, owner, createdAt: times.sort()[0] ?? null, nodes: nodes.map(nodeFrom) };
}

/** Throws NOT_FOUND for no nodes, INVALID_STATE where the control plane does not run. */
export function endpointOf(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  name: string,
  nodes: readonly RuntimeNode[],
): string {
  if (nodes.length === 0) throw refused(runtime, call, "NOT_FOUND", `there is no cluster ${JSON.stringify(name)}`);
  const plane = nodes.find(({ labels }) => labels[NODE_LABELS.role] === "control-plane");
  if (plane?.status !== "running") {
    const hint = "Provision it again with its own config: it starts what is stopped.";
    const said = `the control plane of cluster ${name} is ${plane?.status ?? "gone"}`;
    throw refused(runtime, call, "INVALID_STATE", said, hint);
  }
  const port = plane.ports.find(({ containerPort }) => containerPort === API_SERVER_PORT)?.hostPort;
  if (port !== undefined) return `https://127.0.0.1:${port}`;
  if (plane.address !== undefined) return `https://${plane.address}:${API_SERVER_PORT}`;
  throw refused(runtime, call, "INVALID_STATE", `the control plane of cluster ${name} has no address yet`);
}
