import {
  abortError,
  type CallOptions,
  type Cluster,
  type ClusterConfig,
  type ClusterNode,
  type ClusterProvider,
  type ClusterRef,
  canonicalJson,
  checksumOf,
  deadline,
  isProviderError,
  nameFor,
  ProviderError,
} from "@slipway/core";
import { isOneOf } from "@slipway/provider-kit/filters";
import { type Call, contextOf, type MemoryOptions } from "./client.ts";
import { checkedArgv, checkedConfig, clusterName, nodeIds } from "./cluster-arguments.ts";
import { checkedText, type MemoryContext, PROVIDER, refusal } from "./context.ts";
import { anything, node, nodeRun, nodes, type WireNode } from "./wire.ts";
import { memoryWorld } from "./world/world.ts";

const LABELS = {
  cluster: "dev.slipway.cluster",
  role: "dev.slipway.role",
  owner: "dev.slipway.owner",
  config: "dev.slipway.config",
};
const DEFAULT_IMAGE = "mem-node";
const DEFAULT_WAIT_MS = 300_000;
const POLL_MS = 1_000;

/** A node of a memory cluster. */
export interface MemoryNode extends ClusterNode {
  /** The https port of the API server on the host, on a control plane that is up. */
  readonly hostPort?: number;
}

/**
 * Clusters whose nodes are records of the world: nothing runs in them but what the world's `runInNode` says.
 *
 * @example
 * ```ts
 * const clusters = memoryCluster({ owner: "me" });
 * await clusters.listClusters(); // => []
 * ```
 */
export function memoryCluster(options: MemoryOptions): ClusterProvider<MemoryNode> {
  const world = options.world ?? memoryWorld({ clock: options.runtime?.clock });
  const context = contextOf(options, world);
  const { client, owner } = context;
  return {
    name: PROVIDER,
    owner,
    provision: (config, call) =>
      within(context, "provision", call, async (on) => provision(context, on, await checkedConfig(config))),
    listClusters: (call) =>
      within(context, "listClusters", call, async (on) => {
        const all = await nodesOf(context, on);
        const names = [...new Set(all.map(clusterOf))].sort();
        return names.map((name) => clusterFrom(owner, name, all));
      }),
    listNodes: (cluster, call) =>
      within(context, "listNodes", call, async (on) => {
        const name = clusterName(on.operation, cluster);
        return (await nodesOf(context, on)).filter((found) => clusterOf(found) === name).map(nodeFrom);
      }),
    deleteNodes: (given, call) =>
      within(context, "deleteNodes", call, async (on) => {
        let changed = false;
        for (const id of nodeIds(on.operation, given))
          changed = (await deleteNode(context, on, id, changed)) || changed;
      }),
    getApiServerEndpoint: (cluster, call) =>
      within(context, "getApiServerEndpoint", call, (on) => endpointOf(context, on, cluster)),
    execInContainer: (nodeId, argv, exec = {}) =>
      within(context, "execInContainer", exec, async (on) => {
        checkedText(on.operation, "nodeId", nodeId);
        const command = { argv: checkedArgv(on.operation, argv), stdin: exec.stdin ?? "" };
        const result = await client.send(on, "nodes.run", context.regions[0], { id: nodeId, command }, nodeRun);
        if (result.stdout !== "") exec.onStdout?.(result.stdout);
        if (result.stderr !== "") exec.onStderr?.(result.stderr);
        return result;
      }),
  };
}

/** Gives a call its signal, its time limit, and an error that is always a ProviderError. */
async function within<T>(
  context: MemoryContext,
  operation: string,
  options: CallOptions | undefined,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options ?? {};
  const limit = deadline(context.clock, timeoutMs, signal);
  try {
    if (limit.signal.aborted) throw abortError(limit.signal, { provider: PROVIDER, operation, effect: "none" });
    return await work({ operation, signal: limit.signal });
  } catch (error) {
    if (isProviderError(error)) throw error;
    const message = `${operation} failed in a way that memory does not know`;
    throw new ProviderError("INTERNAL", { message, provider: PROVIDER, operation, effect: "unknown", cause: error });
  } finally {
    limit.release();
  }
}

async function provision(context: MemoryContext, call: Call, config: ClusterConfig): Promise<Cluster> {
  const made: string[] = [];
  try {
    const requests = nodeRequests(context.owner, config);
    const there = (await nodesOf(context, call, true)).filter((found) => clusterOf(found) === config.name);
    refuseOther(call, there, requests[0]?.fingerprint);
    const ids: string[] = [];
    for (const request of requests) {
      const on = context.regions[0];
      const options = { changed: made.length > 0, ...(ids.length === 0 ? {} : { helper: true as const }) };
      const created = await context.client.send(call, "nodes.create", on, request, node, options);
      ids.push(created.id);
      if (!there.some(({ id }) => id === created.id)) made.push(created.id);
    }
    await allUp(context, call, ids, config.waitTimeoutMs ?? DEFAULT_WAIT_MS, made.length > 0);
    return clusterFrom(context.owner, config.name, await nodesOf(context, call, true));
  } catch (error) {
    if (config.retain !== true) await removeQuietly(context, made);
    throw error;
  }
}

function refuseOther(call: Call, there: readonly WireNode[], fingerprint: string | undefined): void {
  const other = there.find((found) => found.labels[LABELS.config] !== fingerprint);
  if (other === undefined) return;
  throw new ProviderError("CONFLICT", {
    message: `cluster ${clusterOf(other)} is there with another config`,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
    native: { id: other.id },
    hint: "Delete its nodes first, or give the config that it was made with.",
  });
}

/** All of the config but how to wait makes a cluster another one. */
function nodeRequests(owner: string, config: ClusterConfig) {
  const { name, image = DEFAULT_IMAGE, nodes: count = 1, cpus, memoryBytes } = config;
  const fingerprint = checksumOf(canonicalJson({ name, image, count, cpus, memoryBytes }));
  return Array.from({ length: count }, (_, index) => ({
    name: `${nameFor(owner, `cluster/${name}`)}-${index}`,
    labels: {
      [LABELS.cluster]: name,
      [LABELS.role]: index === 0 ? "control-plane" : "worker",
      [LABELS.owner]: owner,
      [LABELS.config]: fingerprint,
    },
    image,
    fingerprint,
  }));
}

async function allUp(
  context: MemoryContext,
  call: Call,
  ids: readonly string[],
  waitMs: number,
  changed: boolean,
): Promise<void> {
  const until = context.clock.now() + waitMs;
  const isWanted = isOneOf(ids);
  const effect = changed ? "applied" : "none";
  for (;;) {
    const found = (await nodesOf(context, call, true)).filter(({ id }) => isWanted(id));
    if (found.length === ids.length && found.every(({ state }) => state === "up")) return;
    if (context.clock.now() >= until) {
      const message = `the nodes were not up within ${waitMs} ms`;
      throw new ProviderError("TIMEOUT", { message, provider: PROVIDER, operation: call.operation, effect });
    }
    try {
      await context.clock.sleep(POLL_MS, call.signal);
    } catch {
      throw abortError(call.signal ?? AbortSignal.abort(), { provider: PROVIDER, operation: call.operation, effect });
    }
  }
}

async function removeQuietly(context: MemoryContext, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      await deleteNode(context, { operation: "provision" }, id, true);
    } catch {
      // The error that led here says more; a repeated provision or deleteNodes finds what is left by its labels.
    }
  }
}

async function deleteNode(context: MemoryContext, call: Call, id: string, changed: boolean): Promise<boolean> {
  try {
    const options = changed ? { changed, helper: true as const } : {};
    await context.client.send(call, "nodes.delete", context.regions[0], { id }, anything, options);
    return true;
  } catch (error) {
    if (isProviderError(error, "NOT_FOUND")) return false;
    throw error;
  }
}

async function endpointOf(context: MemoryContext, call: Call, cluster: ClusterRef): Promise<string> {
  const name = clusterName(call.operation, cluster);
  const found = (await nodesOf(context, call)).filter((other) => clusterOf(other) === name);
  if (found.length === 0) throw refusal(call.operation, "NOT_FOUND", `there is no cluster ${JSON.stringify(name)}`);
  const plane = found.find((other) => other.labels[LABELS.role] === "control-plane" && other.state === "up");
  if (plane?.hostPort !== undefined && plane.hostPort !== null) return `https://127.0.0.1:${plane.hostPort}`;
  throw new ProviderError("INVALID_STATE", {
    message: `no control plane of cluster ${name} is up`,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
  });
}

async function nodesOf(context: MemoryContext, call: Call, helper = false): Promise<readonly WireNode[]> {
  const options = helper ? { helper: true as const } : {};
  const { client, regions, owner } = context;
  return (await client.send(call, "nodes.list", regions[0], { owner }, nodes, options)).items;
}

function clusterOf(found: WireNode): string {
  return found.labels[LABELS.cluster] ?? "";
}

function clusterFrom(owner: string, name: string, all: readonly WireNode[]): Cluster {
  const own = all.filter((found) => clusterOf(found) === name);
  const [oldest] = own.map(({ createdAt }) => createdAt).sort((a, b) => a - b);
  return {
    name,
    owner,
    createdAt: oldest === undefined ? null : new Date(oldest).toISOString(),
    nodes: own.map(nodeFrom),
  };
}

const STATUSES: ReadonlyMap<string, ClusterNode["status"]> = new Map([
  ["creating", "pending"],
  ["up", "running"],
  ["exited", "stopped"],
]);

function nodeFrom(found: WireNode): MemoryNode {
  const role = found.labels[LABELS.role] === "control-plane" ? "control-plane" : "worker";
  return {
    id: found.id,
    name: found.name,
    cluster: clusterOf(found),
    role,
    status: STATUSES.get(found.state) ?? "unknown",
    ...(found.address === null ? {} : { address: found.address }),
    image: found.image,
    ...(found.hostPort === null || role === "worker" ? {} : { hostPort: found.hostPort }),
  };
}
