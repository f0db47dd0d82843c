import type { ClusterPlan } from "./cluster-config.ts";
import { kubeadmInitConfig, kubeadmJoinConfig, POD_SUBNET, parseJoinCommand } from "./kubeadm-config.ts";
import { mergeKubeconfig } from "./kubeconfig.ts";
import { type NodeShell, StepFailure } from "./node.ts";
import type { ClusterRuntime } from "./runtime.ts";

/** What a step works on: the cluster's nodes, which all run. */
export interface Made {
  readonly runtime: ClusterRuntime;
  readonly plan: ClusterPlan;
  readonly plane: NodeShell;
  readonly workers: readonly NodeShell[];
  /** An https URL that this host reaches. */
  readonly endpoint: string;
}

export interface Step {
  readonly name: string;
  readonly title: string;
  /** Is there anything to do? Always, if absent. */
  readonly applies?: (made: Made) => boolean;
  /** Does nothing where it was done before, and may be cut off anywhere. */
  readonly run: (made: Made) => Promise<void>;
}

const ADMIN_CONF = "/etc/kubernetes/admin.conf";
const INIT_CONFIG = "/kind/kubeadm.conf";
const JOIN_CONFIG = "/kind/kubeadm-join.conf";
const KUBECTL: readonly string[] = ["kubectl", `--kubeconfig=${ADMIN_CONF}`];
/** The first process of a node, and its container runtime. */
const BOOT_MS = 120_000;
/** Images are in the node image: this is the API server coming up. */
const KUBEADM_MS = 300_000;
const NODES_READY_SECONDS = 180;
/** What says that the cluster was made to its end. */
export const COMPLETE = "complete";

const nodesOf = ({ plane, workers }: Made): readonly NodeShell[] => [plane, ...workers];

async function kubernetesVersion(plane: NodeShell): Promise<string> {
  const version = (await plane.must(["cat", "/kind/version"])).trim();
  if (!/^v1\.\d+\.\d+/.test(version)) throw new StepFailure(`/kind/version is no Kubernetes version: ${version}`);
  return version;
}

/** The node image's own manifest; the network's has one place to fill in. */
async function apply(plane: NodeShell, manifest: string): Promise<void> {
  const text = await plane.must(["cat", manifest]);
  await plane.must([...KUBECTL, "apply", "-f", "-"], { stdin: text.replaceAll("{{ .PodSubnet }}", POD_SUBNET) });
}

async function initialise({ plane }: Made): Promise<void> {
  if (await plane.isNoted("initialised")) return;
  // It was cut off in the middle, or before that could be noted: what it left would be in its own way.
  if (await plane.succeeds(["test", "-e", "/etc/kubernetes/manifests/kube-apiserver.yaml"])) {
    await plane.must(["kubeadm", "reset", "--force"], { timeoutMs: KUBEADM_MS });
  }
  const argv = ["kubeadm", "init", `--config=${INIT_CONFIG}`, "--skip-phases=preflight"];
  await plane.must(argv, { timeoutMs: KUBEADM_MS });
  await plane.note("initialised");
}

async function joinAll({ plane, workers }: Made): Promise<void> {
  const version = await kubernetesVersion(plane);
  for (const worker of workers) {
    if (await worker.isNoted("joined")) continue;
    if (await worker.succeeds(["test", "-e", "/etc/kubernetes/kubelet.conf"])) {
      await worker.must(["kubeadm", "reset", "--force"], { timeoutMs: KUBEADM_MS });
    }
    const printed = await plane.must(["kubeadm", "token", "create", "--print-join-command"]);
    const ticket = parseJoinCommand(printed);
    if (ticket === null) throw new StepFailure("kubeadm token create printed no join command");
    // By a file, since its token would stand in the process list.
    const config = kubeadmJoinConfig(ticket, { nodeName: worker.node.name, kubernetesVersion: version });
    await worker.write(JOIN_CONFIG, config);
    const argv = ["kubeadm", "join", `--config=${JOIN_CONFIG}`, "--skip-phases=preflight"];
    await worker.must(argv, { timeoutMs: KUBEADM_MS });
    await worker.note("joined");
  }
}

/** Everything from a running container to a cluster, in order. */
export const STEPS: readonly Step[] = [
  {
    name: "init",
    title: "waiting for the nodes' first process",
    run: async (made) => {
      for (const node of nodesOf(made)) {
        const isUp = ({ exitCode }: { readonly exitCode: number }): boolean => exitCode === 0;
        await node.until(["systemctl", "is-active", "containerd"], isUp, BOOT_MS, `${node.node.name} did not boot`);
      }
    },
  },
  {
    name: "runtime",
    title: "waiting for containerd",
    run: async (made) => {
      for (const node of nodesOf(made)) {
        const answers = ({ exitCode }: { readonly exitCode: number }): boolean => exitCode === 0;
        await node.until(["crictl", "info"], answers, BOOT_MS, `containerd of ${node.node.name} did not answer`);
      }
    },
  },
  {
    name: "ip-forward",
    title: "letting packets through",
    run: async (made) => {
      for (const node of nodesOf(made)) await node.must(["sysctl", "-w", "net.ipv4.ip_forward=1"]);
    },
  },
  {
    name: "kubeadm-config",
    title: "writing the config of kubeadm",
    run: async ({ plan, plane, workers }) => {
      if (await plane.isNoted("initialised")) return;
      const { name: nodeName } = plane.node;
      const input = { clusterName: plan.name, nodeName, address: plane.address, workers: workers.length > 0 };
      const config = kubeadmInitConfig({ ...input, kubernetesVersion: await kubernetesVersion(plane) });
      await plane.write(INIT_CONFIG, config);
    },
  },
  { name: "kubeadm-init", title: "making the control plane", run: initialise },
  {
    name: "api-server",
    title: "waiting for the API server",
    run: async ({ plan, plane }) => {
      const isReady = ({ exitCode, stdout }: { readonly exitCode: number; readonly stdout: string }): boolean =>
        exitCode === 0 && stdout.trim() === "ok";
      const readyz = [...KUBECTL, "get", "--raw=/readyz"];
      await plane.until(readyz, isReady, plan.waitTimeoutMs, "the API server was not ready");
    },
  },
  {
    name: "cni",
    title: "installing the network",
    run: ({ plane }) => apply(plane, "/kind/manifests/default-cni.yaml"),
  },
  {
    name: "storage-class",
    title: "installing the storage class",
    run: ({ plane }) => apply(plane, "/kind/manifests/default-storage.yaml"),
  },
  {
    name: "untaint",
    title: "letting pods run on the only node",
    applies: ({ workers }) => workers.length === 0,
    run: async ({ plane }) => {
      const taint = "node-role.kubernetes.io/control-plane-";
      const { exitCode, stderr } = await plane.run([...KUBECTL, "taint", "nodes", "--all", taint]);
      // It says so where it was taken away before.
      if (exitCode !== 0 && !/not found/.test(stderr)) throw new StepFailure(`kubectl taint: ${stderr.trim()}`);
    },
  },
  { name: "join", title: "joining the workers", applies: ({ workers }) => workers.length > 0, run: joinAll },
  {
    name: "nodes-ready",
    title: "waiting for the nodes",
    run: async ({ plane }) => {
      const seconds = `--timeout=${NODES_READY_SECONDS}s`;
      const argv = [...KUBECTL, "wait", "--for=condition=Ready", "nodes", "--all", seconds];
      await plane.must(argv, { timeoutMs: (NODES_READY_SECONDS + 30) * 1000 });
    },
  },
  { name: "note", title: "noting that it is complete", run: ({ plane }) => plane.note(COMPLETE) },
  {
    name: "kubeconfig",
    title: "merging the kubeconfig",
    applies: ({ plan }) => plan.kubeconfigPath !== undefined,
    run: async ({ runtime, plan, plane, endpoint }) => {
      if (plan.kubeconfigPath === undefined) return;
      const admin = await plane.must(["cat", ADMIN_CONF]);
      const { currentContext, kubeconfigPath } = plan;
      await mergeKubeconfig(kubeconfigPath, {
        clusterName: plan.name,
        owner: runtime.owner,
        admin,
        endpoint,
        currentContext,
      });
    },
  },
];
