import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import path, { delimiter } from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { hierarchies, makeGroups, removeGroups } from "./control-groups.ts";
import { PAUSE_IMAGE, writeImages } from "./images.ts";

const FIRST_PROCESS = path.join(import.meta.dirname, "first-process.sh");
const PLUGINS = "/usr/lib/cni";
const DAY_MS = 86_400_000;
const PROGRAMS = ["bash", "busybox", "containerd", "ctr", "ip", "mount", "runc", "setpriv", "tar", "unshare"];

/** As NVIDIA's feature discovery names the GPUs of the node. */
export const GPU_PRODUCT = "NVIDIA-H100-80GB-HBM3";

/** As a node of CoreWeave is told by its labels, with two GPUs that do not exist. */
const NODE_LABELS: Readonly<Record<string, string>> = {
  "node.kubernetes.io/instance-type": "gd-8xh100ib-i128",
  "topology.kubernetes.io/region": "US-EAST-04",
  "topology.kubernetes.io/zone": "US-EAST-04A",
  "gpu.nvidia.com/class": "H100_NVLINK_80GB",
  "gpu.nvidia.com/model": "H100_NVLINK_80GB",
  "gpu.nvidia.com/vram": "80",
  "gpu.nvidia.com/count": "2",
  "nvidia.com/gpu.product": GPU_PRODUCT,
  "node.coreweave.cloud/state": "production",
  "node.coreweave.cloud/type": "gd-8xh100ib-i128",
  "compute.coreweave.com/node-pool": "tests",
};
export const NODE_GPUS: readonly string[] = ["GPU-0", "GPU-1"];

/** Runs a program to its end, and returns what it has printed. */
export type CommandRun = (program: string, args: readonly string[]) => Promise<string>;

export interface NodeSettings {
  /** The cluster's folder. The node has one in it. */
  readonly home: string;
  readonly kube: string;
  readonly kubeconfig: string;
  readonly apiServerPort: number;
  /** Free, and the same inside and outside of the node. */
  readonly kubeletPort: number;
  /** Gets what the node says where it ends by itself. */
  readonly onEnd: (why: string) => unknown;
}

export interface RunningNode {
  /** Where its containerd listens; also from outside. */
  readonly containerd: string;
  readonly close: () => Promise<void>;
}

/** Why no kubelet can run here; null if one can. */
export function missingForNode(): string | null {
  if (process.platform !== "linux") return "a kubelet needs Linux";
  if (process.getuid?.() !== 0) return "a kubelet needs root";
  const missing = PROGRAMS.filter((program) => !isOnPath(program));
  if (missing.length > 0) return `not installed: ${missing.join(", ")}`;
  if (!existsSync(path.join(PLUGINS, "bridge"))) return `no network plugins in ${PLUGINS}`;
  if (hierarchies().length === 0) return "the node is made for control groups of version 1";
  return null;
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(path.join(folder, program)));
}

/** A real kubelet with containerd, in namespaces where it can change no setting of this machine. */
export async function startNode(settings: NodeSettings): Promise<RunningNode> {
  const { kube, apiServerPort, kubeletPort } = settings;
  const home = path.join(settings.home, "node");
  const group = `slipway-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  await mkdir(path.join(home, "cni"), { recursive: true });
  await copyFile(settings.kubeconfig, path.join(home, "kubeconfig"));
  await writeFile(path.join(home, "containerd.toml"), containerdConfig(home));
  await writeFile(path.join(home, "cni", "pods.conflist"), JSON.stringify(NETWORK));
  await writeFile(
    path.join(home, "kubelet.json"),
    JSON.stringify(kubeletConfig(settings.home, group, settings.kubeletPort)),
  );
  const run = commandRunner({ defaults: { timeoutMs: 60_000 } });
  await writeImages(
    async (program, args) => {
      const { exitCode, stdout, stderr } = await run(program, args);
      if (exitCode !== 0) throw new Error(`${program}: ${stderr}`);
      return stdout;
    },
    path.join(home, "images.tar"),
  );
  await makeGroups(group);
  const stop = new AbortController();
  const labels = Object.entries(NODE_LABELS).map((pair) => pair.join("="));
  const inside = [
    ...[FIRST_PROCESS, home, kube, group, `127.0.0.1:${apiServerPort}`, `127.0.0.1:${kubeletPort}`],
    ...[labels.join(","), ...NODE_GPUS],
  ];
  // It keeps this network open for the one program that joins the two, and ends with this process, however that ends.
  const outside = 'exec 3</proc/self/ns/net; exec setpriv --pdeathsig KILL unshare "$@"';
  const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const ended = commandRunner({ defaults: { timeoutMs: DAY_MS, signal: stop.signal } })("sh", [
    ...["-c", outside, "sh", ...namespaces, "bash", ...inside],
  ]).then(
    ({ exitCode, stderr }) => settings.onEnd(`the node ended with ${exitCode}: ${stderr.slice(-4_000)}`),
    (error: unknown) => settings.onEnd(String(error)),
  );
  return {
    containerd: path.join(home, "run", "containerd", "containerd.sock"),
    close: async () => {
      stop.abort();
      await ended;
      await removeGroups(group);
    },
  };
}

function containerdConfig(home: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.restart", "io.containerd.tracing.processor.v1.otlp"]
[plugins."io.containerd.internal.v1.opt"]
path = "/var/lib/containerd/opt"
[grpc]
address = "/run/containerd/containerd.sock"
[${cri}]
sandbox_image = "${PAUSE_IMAGE}"
# A process without CAP_SYS_RESOURCE cannot make its score lower.
restrict_oom_score_adj = true
disable_apparmor = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[${cri}.cni]
bin_dir = "${PLUGINS}"
conf_dir = "${home}/cni"
[${cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[${cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;
}

const NETWORK = {
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "pods",
      isGateway: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.88.0.0/16", gateway: "10.88.0.1" }]] },
    },
  ],
};

function kubeletConfig(home: string, group: string, port: number): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: "127.0.0.1",
    port,
    healthzPort: 0,
    tlsCertFile: path.join(home, "kubelet.crt"),
    tlsPrivateKeyFile: path.join(home, "kubelet.key"),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: path.join(home, "ca.crt") },
    },
    authorization: { mode: "AlwaysAllow" },
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${group}`,
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    // Many pods share two processors: each has its part, and nobody waits for a period to end.
    cpuCFSQuota: false,
    // It refuses to start where a setting is another than it wants, and changes none.
    protectKernelDefaults: true,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    localStorageCapacityIsolation: false,
    oomScoreAdj: 0,
    resolvConf: "",
    // Nobody answers there: pods have no names to look up.
    clusterDNS: ["10.0.0.10"],
    clusterDomain: "cluster.local",
    volumePluginDir: "/var/lib/kubelet/plugins-exec",
    maxPods: 500,
    kubeAPIQPS: 500,
    kubeAPIBurst: 500,
    imageGCHighThresholdPercent: 100,
  };
}
