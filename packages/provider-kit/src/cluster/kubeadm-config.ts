/** What the pods and the services get their addresses from: the defaults of kind, which the node image's manifests fit. */
export const POD_SUBNET = "10.244.0.0/16";
const SERVICE_SUBNET = "10.96.0.0/16";
const CRI_SOCKET = "unix:///run/containerd/containerd.sock";

export interface KubeadmInput {
  readonly clusterName: string;
  readonly nodeName: string;
  /** The node's own address, now. */
  readonly address: string;
  /** As `/kind/version` has it: `v1.36.0`. */
  readonly kubernetesVersion: string;
  /** Do other nodes have to reach the control plane? */
  readonly workers: boolean;
}

/** The oldest release that reads v1beta4; for older ones it is v1beta3, which the newest no longer read. */
const BETA4_SINCE_MINOR = 31;

export function kubeadmApiVersion(kubernetesVersion: string): string {
  const minor = Number(/^v?1\.(\d+)/.exec(kubernetesVersion)?.[1] ?? Number.NaN);
  return `kubeadm.k8s.io/${minor < BETA4_SINCE_MINOR ? "v1beta3" : "v1beta4"}`;
}

/**
 * The file for `kubeadm init`. A cluster of one node talks to itself over the loopback, so that it survives another
 * address at its next start; the API server's certificate is good for 127.0.0.1, where the host finds it.
 */
export function kubeadmInitConfig({
  clusterName,
  nodeName,
  address,
  kubernetesVersion,
  workers,
}: KubeadmInput): string {
  const apiVersion = kubeadmApiVersion(kubernetesVersion);
  return [
    `apiVersion: ${apiVersion}`,
    "kind: ClusterConfiguration",
    `kubernetesVersion: ${kubernetesVersion}`,
    `clusterName: ${clusterName}`,
    `controlPlaneEndpoint: "${workers ? address : "127.0.0.1"}:6443"`,
    "apiServer:",
    "  certSANs:",
    ...["localhost", "127.0.0.1", nodeName, address].map((name) => `  - "${name}"`),
    "networking:",
    `  podSubnet: ${POD_SUBNET}`,
    `  serviceSubnet: ${SERVICE_SUBNET}`,
    "---",
    `apiVersion: ${apiVersion}`,
    "kind: InitConfiguration",
    "localAPIEndpoint:",
    `  advertiseAddress: "${address}"`,
    "  bindPort: 6443",
    "nodeRegistration:",
    `  name: ${nodeName}`,
    `  criSocket: ${CRI_SOCKET}`,
    "---",
    ...KUBELET,
    "---",
    // The host's connection tracking is not a container's to set.
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1",
    "kind: KubeProxyConfiguration",
    "conntrack:",
    "  maxPerCore: 0",
    "",
  ].join("\n");
}

// A node's disk is as large as the host's: what it holds there must not make the kubelet evict or collect.
const KUBELET: readonly string[] = [
  "apiVersion: kubelet.config.k8s.io/v1beta1",
  "kind: KubeletConfiguration",
  "cgroupDriver: systemd",
  "failSwapOn: false",
  "imageGCHighThresholdPercent: 100",
  "evictionHard:",
  '  nodefs.available: "0%"',
  '  nodefs.inodesFree: "0%"',
  '  imagefs.available: "0%"',
];

export interface JoinTicket {
  /** `address:port` of the control plane. */
  readonly endpoint: string;
  /** A secret: it lets a node in for a day. */
  readonly token: string;
  readonly caHash: string;
}

/** From what `kubeadm token create --print-join-command` prints; null if it is something else. */
export function parseJoinCommand(printed: string): JoinTicket | null {
  const words = printed.trim().split(/\s+/);
  const at = words.indexOf("join");
  const endpoint = words[at + 1];
  const token = words[words.indexOf("--token") + 1];
  const caHash = words[words.indexOf("--discovery-token-ca-cert-hash") + 1];
  if (at === -1 || endpoint === undefined || token === undefined || caHash === undefined) return null;
  return /^[\w.:-]+$/.test(endpoint) && /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token) ? { endpoint, token, caHash } : null;
}

/** The file for `kubeadm join`. */
export function kubeadmJoinConfig(
  { endpoint, token, caHash }: JoinTicket,
  { nodeName, kubernetesVersion }: Pick<KubeadmInput, "nodeName" | "kubernetesVersion">,
): string {
  return [
    `apiVersion: ${kubeadmApiVersion(kubernetesVersion)}`,
    "kind: JoinConfiguration",
    "discovery:",
    "  bootstrapToken:",
    `    apiServerEndpoint: "${endpoint}"`,
    `    token: "${token}"`,
    "    caCertHashes:",
    `    - "${caHash}"`,
    "nodeRegistration:",
    `  name: ${nodeName}`,
    `  criSocket: ${CRI_SOCKET}`,
    "",
  ].join("\n");
}
