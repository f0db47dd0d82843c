import {
  abortError,
  type ClusterNodeRef,
  type ClusterProvider,
  type ClusterRef,
  deadline,
  isProviderError,
  ProviderError,
  type ProvisionOptions,
} from "@slipway/core";
import { refused } from "./cluster-config.ts";
import { KubeconfigError, removeFromKubeconfig } from "./kubeconfig.ts";
import { byName, clusterFrom, clusterNameOf, endpointOf, nodeFrom, nodesOfCluster } from "./node.ts";
import { provision } from "./provision.ts";
import { type ClusterRuntime, NODE_LABELS, type RuntimeCall, type RuntimeNode } from "./runtime.ts";

/**
 * Kubernetes clusters of a runtime's containers, after the pattern of kind: kubeadm in a node image, over the runtime's
 * `exec` alone. Nodes are found by their labels; addresses and ports are read live.
 */
export function clusterProvider(runtime: ClusterRuntime): ClusterProvider {
  return {
    name: runtime.name,
    owner: runtime.owner,
    provision: (config, call) =>
      within(runtime, "provision", call, (on) => provision(runtime, { ...on, onStep: call?.onStep }, config)),
    listClusters: (call) =>
      within(runtime, "listClusters", call, async (on) => {
        const all = byName(await runtime.nodes(on));
        const names = [...new Set(all.map(clusterNameOf))].sort();
        return names.map((name) =>
          clusterFrom(
            runtime.owner,
            name,
            all.filter((node) => clusterNameOf(node) === name),
          ),
        );
      }),
    listNodes: (cluster, call) =>
      within(runtime, "listNodes", call, async (on) =>
        (await nodesOfCluster(runtime, on, nameOf(runtime, on, cluster))).map(nodeFrom),
      ),
    deleteNodes: (nodes, call) => within(runtime, "deleteNodes", call, (on) => deleteNodes(runtime, on, nodes)),
    getApiServerEndpoint: (cluster, call) =>
      within(runtime, "getApiServerEndpoint", call, async (on) => {
        const name = nameOf(runtime, on, cluster);
        return endpointOf(runtime, on, name, await nodesOfCluster(runtime, on, name));
      }),
    execInContainer: (nodeId, argv, options = {}) =>
      within(runtime, "execInContainer", options, async (on) => {
        const [program] = argv;
        if (program === undefined || program === "" || argv.some((word) => word.includes("\0"))) {
          throw refused(runtime, on, "INVALID_SPEC", "argv names no program, or holds a NUL character");
        }
        await mustRun(runtime, on, nodeId);
        const { stdin, onStdout, onStderr } = options;
        return await runtime.exec(on, nodeId, argv, { stdin, onStdout, onStderr });
      }),
  };
}

function nameOf(runtime: ClusterRuntime, call: RuntimeCall, cluster: ClusterRef): string {
  const { name }: { readonly name: unknown } = cluster;
  if (typeof name === "string" && name !== "") return name;
  throw refused(runtime, call, "INVALID_SPEC", "cluster.name must be the name of a cluster");
}

/** Other people's containers are none of our business, whatever the id. */
async function mustRun(runtime: ClusterRuntime, call: RuntimeCall, id: string): Promise<void> {
  const node = (await runtime.nodes(call)).find((other) => other.id === id);
  if (node === undefined) throw refused(runtime, call, "NOT_FOUND", `there is no node ${JSON.stringify(id)}`);
  if (node.status !== "running") throw refused(runtime, call, "INVALID_STATE", `node ${id} is ${node.status}`);
}

/** Only nodes of this owner; who gives the id of anything else gets nothing done, as for one that is gone. */
async function deleteNodes(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  given: readonly ClusterNodeRef[],
): Promise<void> {
  if (given.length === 0) return;
  const ids = new Set(given.map(({ id }) => id));
  const all = await runtime.nodes(call);
  const own = all.filter(({ id }) => ids.has(id));
  // First: a file that cannot be changed then leaves a cluster that can be deleted once it can.
  await forgetInKubeconfigs(runtime, call, own, new Set(all.filter(({ id }) => !ids.has(id)).map(clusterNameOf)));
  let done = false;
  try {
    for (const { id } of own) {
      await runtime.removeNode(call, id);
      done = true;
    }
  } catch (error) {
    throw done && isProviderError(error) && error.effect === "none" ? partly(error) : error;
  }
}

/** Of the clusters of which no other node is left. */
async function forgetInKubeconfigs(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  going: readonly RuntimeNode[],
  left: ReadonlySet<string>,
): Promise<void> {
  for (const { labels } of going) {
    const clusterName = labels[NODE_LABELS.cluster] ?? "";
    const path = labels[NODE_LABELS.kubeconfig];
    if (path === undefined || left.has(clusterName)) continue;
    try {
      await removeFromKubeconfig(path, { clusterName, owner: runtime.owner });
    } catch (error) {
      if (!(error instanceof KubeconfigError)) throw error;
      const hint = "Mend the file, or move it away, and delete the cluster again.";
      throw refused(runtime, call, "INVALID_STATE", error.message, hint);
    }
  }
}

/** The same error where others were deleted before it. */
function partly(error: ProviderError): ProviderError {
  const { code, message, provider, operation, scope, native, hint, cause } = error;
  return new ProviderError(code, { message, provider, operation, scope, native, hint, cause, effect: "applied" });
}

/** Gives a call its signal, its time limit, and an error that is always a ProviderError. */
async function within<T>(
  runtime: ClusterRuntime,
  operation: string,
  options: ProvisionOptions | undefined,
  work: (call: RuntimeCall) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options ?? {};
  const limit = deadline(runtime.clock, timeoutMs, signal);
  const at = { provider: runtime.name, operation } as const;
  try {
    if (limit.signal.aborted) throw abortError(limit.signal, { ...at, effect: "none" });
    return await work({ operation, signal: limit.signal });
  } catch (error) {
    if (isProviderError(error)) throw error;
    const message = `${operation} failed: ${error instanceof Error ? error.message : String(error)}`;
    throw new ProviderError("INTERNAL", { ...at, message, effect: "unknown", cause: error });
  } finally {
    limit.release();
  }
}
