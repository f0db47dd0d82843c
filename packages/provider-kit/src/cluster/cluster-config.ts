import { resolve } from "node:path";
import { type ClusterConfig, canonicalJson, checksumOf, nameFor, type PortMapping, ProviderError } from "@slipway/core";
import { type ClusterRuntime, NODE_LABELS, type NodeSpec, type RuntimeCall } from "./runtime.ts";

/** The port of the API server inside a node. */
export const API_SERVER_PORT = 6443;
const GIBIBYTE = 1024 ** 3;
/** With less, a node of Kubernetes does not come up, or its API server is ended for want of memory. */
const LEAST_MEMORY_BYTES: number = 4 * GIBIBYTE;
const DEFAULT_WAIT_MS = 300_000;

/** A config with everything decided. */
export interface ClusterPlan {
  readonly name: string;
  readonly image: string;
  /** The control plane first. */
  readonly nodes: readonly NodeSpec[];
  /** The digest of all that makes a cluster another one. */
  readonly fingerprint: string;
  readonly waitTimeoutMs: number;
  readonly kubeconfigPath: string | undefined;
  readonly currentContext: boolean;
  readonly retain: boolean;
}

/** Throws INVALID_SPEC for a config that nobody could make, and UNSUPPORTED for one that this runtime cannot. */
export async function clusterPlan(
  runtime: ClusterRuntime,
  call: RuntimeCall,
  given: ClusterConfig,
): Promise<ClusterPlan> {
  const config = await checked(runtime, call, given);
  const { name, nodes: count = 1, image = runtime.defaults.image, cpus = runtime.defaults.cpus } = config;
  const { memoryBytes = runtime.defaults.memoryBytes, portMappings = [] } = config;
  // It is remembered on the node, and found again from another directory.
  const kubeconfigPath = config.kubeconfigPath === undefined ? undefined : resolve(config.kubeconfigPath);
  if (memoryBytes < LEAST_MEMORY_BYTES) {
    const said = `memoryBytes is ${memoryBytes}, and a node needs at least ${LEAST_MEMORY_BYTES} (4 GiB)`;
    throw refused(runtime, call, "INVALID_SPEC", said);
  }
  refuseTwice(runtime, call, portMappings);
  const why = count > 1 ? await runtime.oneNodeOnly(call) : null;
  if (why !== null) throw refused(runtime, call, "UNSUPPORTED", `a cluster of ${count} nodes cannot be made: ${why}`);
  const fingerprint = checksumOf(canonicalJson({ name, image, count, cpus, memoryBytes, portMappings }));
  const labels = {
    [NODE_LABELS.cluster]: name,
    [NODE_LABELS.owner]: runtime.owner,
    [NODE_LABELS.config]: fingerprint,
    ...(kubeconfigPath === undefined ? {} : { [NODE_LABELS.kubeconfig]: kubeconfigPath }),
  };
  const nodes = Array.from({ length: count }, (_, index): NodeSpec => {
    const role = index === 0 ? "control-plane" : "worker";
    return {
      // Unique among all owners of this machine; what it belongs to is said by its labels alone.
      name: `${nameFor(runtime.owner, `cluster/${name}`)}-${index}`,
      role,
      image,
      labels: { ...labels, [NODE_LABELS.role]: role },
      cpus,
      memoryBytes,
      ports: index === 0 ? [{ containerPort: API_SERVER_PORT }, ...portMappings] : [],
      // What systemd looks at to see that it is in a container, and what saves the user a flag in each kubectl.
      environment: { container: "docker", KUBECONFIG: "/etc/kubernetes/admin.conf" },
      tmpfs: ["/tmp", "/run", "/run/lock"],
    };
  });
  return {
    name,
    image,
    nodes,
    fingerprint,
    waitTimeoutMs: config.waitTimeoutMs ?? DEFAULT_WAIT_MS,
    kubeconfigPath,
    currentContext: config.currentContext ?? false,
    retain: config.retain ?? false,
  };
}

async function checked(runtime: ClusterRuntime, call: RuntimeCall, given: unknown): Promise<ClusterConfig> {
  // It brings all of zod, and most programs make no cluster.
  const { clusterConfigSchema } = await import("@slipway/core/schema");
  const parsed = clusterConfigSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = ["config", ...(issue?.path ?? [])].join(".");
  throw refused(runtime, call, "INVALID_SPEC", `${where}: ${issue?.message ?? "is not understood"}`);
}

function refuseTwice(runtime: ClusterRuntime, call: RuntimeCall, mappings: readonly PortMapping[]): void {
  const seen = mappings.map(({ hostPort, protocol = "tcp" }) => `${hostPort}/${protocol}`);
  const twice = seen.find((each, at) => seen.indexOf(each) !== at);
  if (twice !== undefined) throw refused(runtime, call, "INVALID_SPEC", `portMappings gives the host's ${twice} twice`);
  if (mappings.some(({ containerPort }) => containerPort === API_SERVER_PORT)) {
    const said = `portMappings names ${API_SERVER_PORT}, which is the API server's and mapped anyway`;
    throw refused(runtime, call, "INVALID_SPEC", said);
  }
}

/** A refusal before anything was done. */
export function refused(
  runtime: Pick<ClusterRuntime, "name">,
  call: RuntimeCall,
  code: "INVALID_SPEC" | "UNSUPPORTED" | "NOT_FOUND" | "INVALID_STATE",
  message: string,
  hint?: string,
): ProviderError {
  return new ProviderError(code, { message, provider: runtime.name, operation: call.operation, effect: "none", hint });
}
