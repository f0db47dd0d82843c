import { type ClusterExecResult, isProviderError, type PortMapping, type ProviderError } from "@slipway/core";
import {
  type ClusterRuntime,
  NODE_LABELS,
  type NodeSpec,
  type RuntimeCall,
  type RuntimeNode,
} from "@slipway/provider-kit/cluster";
import { isAtLeast } from "@slipway/provider-kit/command";
import type { AppleContainerContext } from "../context.ts";
import { PROVIDER, refusal } from "../errors.ts";
import { publishOf } from "../free-port.ts";
import { addressesOf, createdAtOf } from "../instance.ts";
import { decodeLabel, encodeLabel } from "../tags.ts";
import type { WireContainer } from "../wire.ts";

/** A node image of kind: systemd, containerd, kubeadm and all images of one Kubernetes version. */
const NODE_IMAGE = "docker.io/kindest/node:v1.34.0";
const NODE_CPUS = 4;
const NODE_MEMORY_BYTES: number = 4 * 1024 ** 3;
const MASKS_SINCE = { major: 1, minor: 2, patch: 1 } as const;
const PORT_ATTEMPTS = 4;

/** What `provider-kit/cluster` needs of Apple's container; nothing here knows Kubernetes. */
export function appleContainerRuntime(context: AppleContainerContext): ClusterRuntime {
  const { client, owner, clock, log } = context;
  return {
    name: PROVIDER,
    owner,
    clock,
    log,
    defaults: { image: NODE_IMAGE, cpus: NODE_CPUS, memoryBytes: NODE_MEMORY_BYTES },
    oneNodeOnly: async (call) => {
      // A version that is refused says nothing of the Mac.
      await client.version(call);
      try {
        await client.networks(call);
        return null;
      } catch (error) {
        if (isProviderError(error, "UNSUPPORTED")) return "containers do not reach one another on macOS 15";
        throw error;
      }
    },
    ensureImage: (call, image) => client.ensureImage(call, image),
    createNode: (call, spec) => context.keyedMutex("run", call, () => createNode(context, call, spec)),
    startNode: (call, id) => client.start(call, id),
    nodes: async (call) => (await client.containers(call)).filter((wire) => isNodeOf(wire, owner)).map(nodeFrom),
    removeNode: (call, id) => context.keyedMutex(id, call, () => client.remove(call, id)),
    exec: (call, id, argv, options): Promise<ClusterExecResult> => client.exec(call, id, argv, options),
    logs: (call, id) => client.logs(call, id),
  };
}

async function createNode(context: AppleContainerContext, call: RuntimeCall, spec: NodeSpec): Promise<void> {
  const { client } = context;
  const unmasked = isAtLeast(await client.version(call), MASKS_SINCE);
  const ports = spec.ports.map(({ containerPort, hostPort, protocol }) => ({
    port: containerPort,
    hostPort,
    protocol,
  }));
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.run(call, {
        name: spec.name,
        image: spec.image,
        labels: Object.fromEntries(Object.entries(spec.labels).map(([name, value]) => [name, encodeLabel(value)])),
        cpus: spec.cpus,
        memoryBytes: spec.memoryBytes,
        publish: await publishOf(ports),
        tmpfs: spec.tmpfs,
        environment: spec.environment,
        capabilities: ["ALL"],
        unmasked,
      });
    } catch (error) {
      if (!isProviderError(error)) throw error;
      if (await isThere(context, call, spec, error)) return;
      const ours = spec.ports.some(({ hostPort }) => hostPort === undefined);
      // A port that was free when it was chosen need not be so when it is taken.
      if (error.native?.code !== "port-in-use" || !ours || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** After a call whose end is not known, or that another one was faster than: is the node there, and does it run? */
async function isThere(
  { client, owner }: AppleContainerContext,
  call: RuntimeCall,
  spec: NodeSpec,
  error: ProviderError,
): Promise<boolean> {
  const taken = error.native?.code === "name-taken";
  if (error.effect === "none" && !taken) return false;
  const wire = await client.container({ operation: call.operation, signal: call.signal }, spec.name);
  if (wire === null) return false;
  if (!isNodeOf(wire, owner)) {
    throw refusal("CONFLICT", call.operation, `a container that is no node of this owner is named ${spec.name}`, {
      hint: "Slipway leaves it alone: remove it by hand, or give the cluster another name.",
      nativeId: wire.id,
    });
  }
  if (wire.status.state !== "running") await client.start(call, spec.name);
  return true;
}

function labelOf({ configuration }: WireContainer, name: string): string | undefined {
  const value = configuration.labels[name];
  return value === undefined ? undefined : decodeLabel(value);
}

function isNodeOf(wire: WireContainer, owner: string): boolean {
  return labelOf(wire, NODE_LABELS.owner) === owner && labelOf(wire, NODE_LABELS.cluster) !== undefined;
}

const STATUSES: ReadonlyMap<string, RuntimeNode["status"]> = new Map([
  ["running", "running"],
  ["stopped", "stopped"],
  ["stopping", "pending"],
]);

function nodeFrom(wire: WireContainer): RuntimeNode {
  const { configuration, status } = wire;
  const labels = Object.values(NODE_LABELS).flatMap((name) => {
    const value = labelOf(wire, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    id: wire.id,
    name: wire.id,
    labels: Object.fromEntries(labels),
    image: configuration.image?.reference ?? "",
    status: STATUSES.get(status.state) ?? "unknown",
    address: addressesOf(wire).privateIpv4,
    ports: configuration.publishedPorts.map(({ hostPort, containerPort, proto }): PortMapping => {
      const protocol = proto === "udp" ? "udp" : "tcp";
      return { containerPort, hostPort, protocol };
    }),
    createdAt: createdAtOf(wire),
  };
}
