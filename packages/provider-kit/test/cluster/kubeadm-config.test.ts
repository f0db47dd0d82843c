import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import {
  kubeadmApiVersion,
  kubeadmInitConfig,
  kubeadmJoinConfig,
  parseJoinCommand,
} from "../../src/cluster/kubeadm-config.ts";

const documents = (text: string): readonly unknown[] => parseAllDocuments(text).map((document) => document.toJSON());
const input = { clusterName: "demo", nodeName: "n-0", address: "192.168.64.3", kubernetesVersion: "v1.34.0" };

describe("kubeadm init", () => {
  test("of one node talks to itself over the loopback, with a certificate that is good there", () => {
    const [cluster, init, kubelet, proxy] = documents(kubeadmInitConfig({ ...input, workers: false }));
    expect(cluster).toMatchObject({
      kind: "ClusterConfiguration",
      controlPlaneEndpoint: "127.0.0.1:6443",
      apiServer: { certSANs: ["localhost", "127.0.0.1", "n-0", "192.168.64.3"] },
      networking: { podSubnet: "10.244.0.0/16" },
    });
    expect(init).toMatchObject({ localAPIEndpoint: { advertiseAddress: "192.168.64.3", bindPort: 6443 } });
    expect(kubelet).toMatchObject({ failSwapOn: false, evictionHard: { "nodefs.available": "0%" } });
    expect(proxy).toMatchObject({ conntrack: { maxPerCore: 0 } });
  });

  test("of several is reached at the node's own address", () => {
    const [cluster] = documents(kubeadmInitConfig({ ...input, workers: true }));
    expect(cluster).toMatchObject({ controlPlaneEndpoint: "192.168.64.3:6443" });
  });

  test.each([
    ["v1.29.4", "kubeadm.k8s.io/v1beta3"],
    ["v1.30.13", "kubeadm.k8s.io/v1beta3"],
    ["v1.31.0", "kubeadm.k8s.io/v1beta4"],
    ["v1.36.0", "kubeadm.k8s.io/v1beta4"],
  ])("of %s reads %s", (version, api) => expect(kubeadmApiVersion(version)).toBe(api));
});

describe("the join command", () => {
  const printed =
    "kubeadm join 192.168.64.3:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:00ff \n";

  test("becomes a file", () => {
    const ticket = parseJoinCommand(printed);
    expect(ticket).toEqual({ endpoint: "192.168.64.3:6443", token: "abcdef.0123456789abcdef", caHash: "sha256:00ff" });
    if (ticket === null) throw new Error("no ticket");
    expect(documents(kubeadmJoinConfig(ticket, input))).toMatchObject([
      { discovery: { bootstrapToken: { token: "abcdef.0123456789abcdef", caCertHashes: ["sha256:00ff"] } } },
    ]);
  });

  test.each(["", "I0101 warning", "kubeadm join --token x", printed.replace("abcdef.", "ABCDEF.")])(
    "is not %j",
    (text) => expect(parseJoinCommand(text)).toBeNull(),
  );
});
