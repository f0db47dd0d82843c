import { writeFile } from "node:fs/promises";
import path from "node:path";

/** Where the servers of one cluster listen, all on the loopback. */
export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

export function etcdArguments(home: string, ports: Ports): readonly string[] {
  const [client, peer] = [`http://127.0.0.1:${ports.etcd}`, `http://127.0.0.1:${ports.etcdPeer}`];
  return [
    ...["--data-dir", path.join(home, "etcd"), "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `default=${peer}`],
  ];
}

/** Writes the policy of the audit log, and says how the server is started. */
export async function apiServerArguments(home: string, ports: Ports): Promise<readonly string[]> {
  const file = (name: string): string => path.join(home, name);
  const rules = [{ level: "Metadata", users: ["tenant"], omitStages: ["RequestReceived"] }, { level: "None" }];
  await writeFile(file("audit.json"), JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules }));
  // A privileged container has a /proc of its own, in which the settings of this machine's kernel can be written.
  const defaults = { enforce: "baseline", "enforce-version": "latest" };
  const podSecurity = {
    apiVersion: "pod-security.admission.config.k8s.io/v1",
    kind: "PodSecurityConfiguration",
    defaults,
  };
  const plugins = [{ name: "PodSecurity", configuration: podSecurity }];
  const admission = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration", plugins };
  await writeFile(file("admission.json"), JSON.stringify(admission));
  return [
    "kube-apiserver",
    `--admission-control-config-file=${file("admission.json")}`,
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.apiServer}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${file("server.crt")}`,
    `--tls-private-key-file=${file("server.key")}`,
    `--cert-dir=${file("certificates")}`,
    `--token-auth-file=${file("tokens.csv")}`,
    `--service-account-key-file=${file("accounts.key")}`,
    `--service-account-signing-key-file=${file("accounts.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=Node,RBAC",
    // How it reaches a kubelet, for exec and logs.
    `--kubelet-client-certificate=${file("kubelet-client.crt")}`,
    `--kubelet-client-key=${file("kubelet-client.key")}`,
    `--kubelet-certificate-authority=${file("ca.crt")}`,
    "--kubelet-preferred-address-types=Hostname",
    `--audit-policy-file=${file("audit.json")}`,
    `--audit-log-path=${file("audit.log")}`,
    "--v=0",
  ];
}

const CLIENT = ["--leader-elect=false", "--secure-port=0", "--kube-api-qps=500", "--kube-api-burst=500", "--v=0"];

export function controllerManagerArguments(home: string, kubeconfig: string): readonly string[] {
  return [
    ...["kube-controller-manager", `--kubeconfig=${kubeconfig}`, ...CLIENT],
    `--service-account-private-key-file=${path.join(home, "accounts.key")}`,
    `--root-ca-file=${path.join(home, "ca.crt")}`,
    // Else it makes a folder in /usr/libexec.
    `--flex-volume-plugin-dir=${path.join(home, "flex")}`,
    // The provisioner of the class `standard`: folders of this machine.
    "--enable-hostpath-provisioner",
  ];
}

export function schedulerArguments(kubeconfig: string): readonly string[] {
  return ["kube-scheduler", `--kubeconfig=${kubeconfig}`, ...CLIENT];
}
