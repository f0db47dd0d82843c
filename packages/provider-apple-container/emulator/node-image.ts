import { chmodSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBindTarget } from "@slipway/provider-kit/sandbox";
import { NODE_PROGRAMS } from "./node-programs.ts";
import type { ContainerRecord, MachineState, StepBehaviour } from "./state.ts";

/** Where the stand-in of the node image keeps its own things, in every node. */
export const NODE_STATE = "opt/node/state";

/**
 * Puts the programs of the node image into a container's root, in which nothing runs; keeps what is there. Throws
 * SandboxError `invalid` where a link stands on the way.
 */
export function installNode(root: string): void {
  for (const folder of ["opt/node/bin", `${NODE_STATE}/nodes`, "kind/manifests", "etc/kubernetes/manifests"]) {
    makeBindTarget(root, `/${folder}`, true);
  }
  for (const [name, content] of Object.entries(NODE_PROGRAMS)) {
    const path = join(root, "opt/node/bin", name);
    if (existsSync(path)) continue;
    // Whole or not at all: one that could not be executed would let the host's own through.
    write(root, `/opt/node/bin/${name}.draft`, content);
    chmodSync(`${path}.draft`, 0o755);
    renameSync(`${path}.draft`, path);
  }
  write(root, "/kind/version", "v1.34.0\n");
  write(root, "/kind/manifests/default-cni.yaml", DEFAULT_CNI);
  write(root, "/kind/manifests/default-storage.yaml", DEFAULT_STORAGE);
}

/** A link that stands there is replaced, not written through. */
function write(root: string, path: string, content: string): void {
  makeBindTarget(root, path, false);
  writeFileSync(join(root, path), content);
}

const DEFAULT_CNI = [
  "apiVersion: apps/v1",
  "kind: DaemonSet",
  "metadata:",
  "  name: kindnet",
  "  namespace: kube-system",
  "spec:",
  "  podSubnet: {{ .PodSubnet }}",
  "",
].join("\n");
const DEFAULT_STORAGE = [
  "apiVersion: storage.k8s.io/v1",
  "kind: StorageClass",
  "metadata:",
  "  name: standard",
  "",
].join("\n");

const KUBECTL_STEPS: readonly (readonly [RegExp, string])[] = [
  [/ (readyz|healthz|livez)|\/(readyz|healthz|livez)/, "readyz"],
  [/ taint /, "untaint"],
  [/ label /, "label"],
  [/ wait /, "wait-ready"],
  [/ get nodes/, "get-nodes"],
];

/** Which step of making a cluster a command in a node is; undefined for anything else. */
export function stepOf([program = "", ...words]: readonly string[], stdin: string): string | undefined {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const line = ` ${words.join(" ")} `;
  if (name === "kubeadm") return `kubeadm-${words.find((word) => !word.startsWith("-")) ?? ""}`;
  if (name === "kubectl") {
    const found = KUBECTL_STEPS.find(([says]) => says.test(line))?.[1];
    if (found !== undefined) return found;
    if (!/ (apply|create) /.test(line)) return undefined;
    if (/kindnet|flannel|cni/.test(stdin + line)) return "cni-apply";
    return /StorageClass/.test(stdin) ? "storage-class" : "apply";
  }
  if (name === "systemctl" || name === "crictl") return "containerd";
  if (name === "sysctl") return "sysctl";
  if (name === "tee" && /kubeadm/.test(line)) return "kubeadm-config";
  if (name === "cat" && line.includes("admin.conf")) return "admin-conf";
  return name === "cat" && line.includes("default-cni") ? "cni-manifest" : undefined;
}

/** Notes that a node has come to a step; answers how it shall behave, if not well. */
export function takeStep(state: MachineState, node: string, step: string): StepBehaviour | undefined {
  state.reached = [...state.reached, { node, step }];
  const behaviour = state.steps[step];
  if (behaviour === undefined) return undefined;
  const { times } = behaviour;
  if (times === undefined) return behaviour;
  if (times <= 1) delete state.steps[step];
  else state.steps[step] = { ...behaviour, times: times - 1 };
  return behaviour;
}

/** What the programs of the image read: who they are, and how they shall behave this time. */
export function nodeEnvironment(record: ContainerRecord, step: StepBehaviour | undefined): Record<string, string> {
  return {
    NODE_NAME: record.id,
    NODE_IP: record.ipv4 ?? "",
    ...(step === undefined ? {} : { NODE_DOES: step.does, NODE_SAYS: step.says ?? "it was told to fail" }),
  };
}
