import { nameFor } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
import { expect, test } from "vitest";
import { GPU_ANNOTATION, toInstance } from "../src/instance.ts";
import { ownerLabel, ownershipAnnotations, ownershipLabels, ownershipOf } from "../src/ownership.ts";
import { PROFILES } from "../src/profiles.ts";
import { bytesOfQuantity, cpuQuantity, numberOfQuantity } from "../src/quantities.ts";
import { idOf, parseId } from "../src/remote.ts";
import { podOf } from "./pods.ts";

const BASE: InstanceBase = {
  ...{ id: "i", nativeId: "n", provider: "kubernetes", key: "k", owner: "o", labels: {} },
  status: "running",
  specHash: "h",
};

const HERE = { context: "here", profile: PROFILES.generic };

test("an instance tells what the pod itself has", () => {
  const pod = podOf({
    metadata: { annotations: { [GPU_ANNOTATION]: "NVIDIA-L4" } },
    spec: {
      nodeName: "node-1",
      nodeSelector: { "node.kubernetes.io/instance-type": "g2" },
      containers: [
        { name: "sidecar", image: "mesh" },
        {
          name: "main",
          image: "debian",
          resources: { limits: { cpu: "1500m", memory: "2Gi", "nvidia.com/gpu": "2" } },
        },
      ],
    },
    status: { phase: "Running", podIP: "10.0.0.7", podIPs: [{ ip: "10.0.0.7" }, { ip: "fd00::7" }] },
  });
  expect(toInstance(pod, BASE, HERE)).toMatchObject({
    phase: "Running",
    region: "here",
    nodeName: "node-1",
    spec: "g2",
    image: "debian",
    resources: { cpus: 1.5, memoryBytes: 2 * 1024 ** 3, gpus: { type: "NVIDIA-L4", count: 2 } },
    addresses: { privateIpv4: "10.0.0.7", ipv6: "fd00::7" },
    isSpot: false,
    createdAt: "2026-11-29T08:00:00Z",
  });
});

test("what a pod does not tell is absent", () => {
  const instance = toInstance(podOf({ status: { phase: "Pending" } }), BASE, HERE);
  for (const field of ["resources", "spec", "nodeName", "statusReason", "price"])
    expect(instance).not.toHaveProperty(field);
  expect(instance.addresses).toEqual({});
});

test("quantities are read and written as Kubernetes means them", () => {
  expect([numberOfQuantity("250m"), numberOfQuantity("2"), numberOfQuantity(3)]).toEqual([0.25, 2, 3]);
  expect(["1Ki", "1M", "1e3", "12345", "0.5Gi"].map(bytesOfQuantity)).toEqual([1024, 1e6, 1000, 12_345, 2 ** 29]);
  expect([numberOfQuantity("lots"), bytesOfQuantity(undefined)]).toEqual([undefined, undefined]);
  expect([cpuQuantity(0.5), cpuQuantity(4), cpuQuantity(0.0001)]).toEqual(["500m", "4000m", "1m"]);
});

test("ownership comes back from annotations, with labels of any text", () => {
  const ownership = {
    ...{ owner: "team-a", key: "a key / with *everything*", specHash: "sha256:1", displayName: "Ünïcode" },
    ...{ expiresAt: "2026-12-01T00:00:00Z", labels: { "any name": "any value, however long ".repeat(9) } },
  };
  const metadata = { labels: ownershipLabels("team-a"), annotations: ownershipAnnotations(ownership) };
  expect(ownershipOf(podOf({ metadata }))).toEqual(ownership);
  expect(ownershipOf(podOf({ metadata: { ...metadata, labels: {} } }))).toBeNull();
  expect(ownershipOf(podOf())).toBeNull();
});

test("broken labels are none", () => {
  const ownership = { owner: "o", key: "k", specHash: "h", labels: { a: "b" } };
  const annotations = { ...ownershipAnnotations(ownership), "slipway.dev/labels": "{" };
  expect(ownershipOf(podOf({ metadata: { labels: ownershipLabels("o"), annotations } }))?.labels).toEqual({});
});

test("an owner that no label may hold is its hash there", () => {
  expect(ownerLabel("team-a")).toBe("team-a");
  for (const owner of ["-team", "team-", "-"]) expect(ownerLabel(owner)).toMatch(/^slip-[a-z2-7]{8}$/);
  expect(nameFor("-team", "k").startsWith(ownerLabel("-team"))).toBe(true);
});

test("an id holds any context, and is read back", () => {
  const address = { context: "arn:aws:eks:us-east-1:1:cluster/a b", namespace: "n", name: "slip-a", uid: "1-2" };
  expect(parseId(idOf(address.context, address))).toEqual(address);
  expect(parseId("n/slip-a/1-2")).toEqual({ ...address, context: undefined });
  for (const id of ["", "i-1", "a/b", "a/b/c/d/e", "%/n/x/1", "n/UPPER/1"]) expect(parseId(id)).toBeNull();
});
