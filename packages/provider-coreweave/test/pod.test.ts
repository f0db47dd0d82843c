import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isProviderError, type ProviderError } from "@slipway/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CoreweaveProvider, coreweave, INTERRUPTIBLE } from "../src/index.ts";

interface World {
  readonly provider: CoreweaveProvider;
  /** Bodies that were sent, the last one first. */
  readonly sent: readonly Record<string, unknown>[];
  /** Labels of every node; null: this user may not read nodes. */
  nodeLabels: Record<string, string> | null;
  readonly paths: readonly string[];
}

/** A server with as many pods as were created, all of them running. */
async function worldOf(): Promise<World> {
  const folder = await mkdtemp(path.join(tmpdir(), "slipway-coreweave-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = path.join(folder, "config");
  const contexts = [{ name: "east", context: { cluster: "c", namespace: "machines" } }];
  const clusters = [{ name: "c", cluster: { server: "https://cluster.test" } }];
  await writeFile(kubeconfig, JSON.stringify({ "current-context": "east", contexts, clusters }));
  const pods = new Map<string, object>();
  const sent: Record<string, unknown>[] = [];
  const paths: string[] = [];
  const answer = (status: number, json: object): Response =>
    new Response(JSON.stringify(json), { status, headers: { "content-type": "application/json" } });
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    paths.push(pathname);
    const name = pathname.split("/").at(-1) ?? "";
    if (init?.method === "POST") {
      const body = JSON.parse(String(init.body)) as { metadata: { name: string }; spec: object };
      sent.unshift({ ...body });
      const metadata = { ...body.metadata, namespace: "machines", uid: "uid-1" };
      const pod = { ...body, metadata, spec: { ...body.spec, nodeName: "g1" }, status: { phase: "Running" } };
      pods.set(body.metadata.name, pod);
      return answer(201, pod);
    }
    if (pathname.includes("/nodes/")) {
      if (world.nodeLabels !== null) return answer(200, { metadata: { name, labels: world.nodeLabels } });
      return answer(403, { reason: "Forbidden", message: 'User "u" cannot get resource "nodes"' });
    }
    if (name === "persistentvolumeclaims") return answer(200, { items: [] });
    if (name === "machines") return answer(200, { kind: "Namespace" });
    const pod = pods.get(name);
    if (pod !== undefined) return answer(200, pod);
    return answer(404, { reason: "NotFound", message: "not found", details: { kind: "pods" } });
  };
  const world: World = {
    provider: coreweave({ owner: "team-a", kubeconfig, image: "debian", runtime: { fetch } }),
    sent,
    nodeLabels: {},
    paths,
  };
  return world;
}

async function failure(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isProviderError(error)) return error;
  throw new Error("the call did not fail as it should", { cause: error });
}

const PRODUCTION = { key: "node.coreweave.cloud/state", operator: "In", values: ["production"] };

describe("a pod", () => {
  test("of a machine type takes all of a node in production, and has the node's price", async () => {
    const { provider, sent } = await worldOf();
    const instance = await provider.spawn({ key: "k", spec: "gd-8xh100ib-i128", maxUsdPerHour: 49.24 });
    expect(sent[0]).toMatchObject({
      spec: {
        nodeSelector: { "node.kubernetes.io/instance-type": "gd-8xh100ib-i128" },
        tolerations: [{ key: "nvidia.com/gpu", operator: "Exists" }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [PRODUCTION] }] },
          },
        },
        containers: [{ resources: { requests: { "nvidia.com/gpu": "8" }, limits: { "nvidia.com/gpu": "8" } } }],
      },
    });
    expect(instance).toMatchObject({
      provider: "coreweave",
      region: "east",
      resources: { gpus: { type: "H100", count: 8 } },
      price: { usdPerHour: 49.24, source: "catalogue", asOf: "2026-10-04T00:00:00Z" },
    });
  });

  test("with some GPUs goes to any type that has them, and has no price", async () => {
    const { provider, sent } = await worldOf();
    const instance = await provider.spawn({ key: "k", gpu: { type: "GB300", count: 2 } });
    const types = { key: "node.kubernetes.io/instance-type", operator: "In", values: ["gb300-4x", "gb300-4x-e"] };
    expect(JSON.stringify(sent[0])).toContain(JSON.stringify([PRODUCTION, types]));
    expect(instance.resources?.gpus).toEqual({ type: "GB300", count: 2 });
    expect(instance).not.toHaveProperty("price");
    await provider.spawn({ key: "other-name", gpu: { type: "NVIDIA GB300", count: 2 } });
    expect(JSON.stringify(sent[0])).toContain(JSON.stringify([PRODUCTION, types]));
  });

  test("with GPUs that no machine type has is placed by the node's class", async () => {
    const { provider, sent } = await worldOf();
    await provider.spawn({ key: "k", gpu: { type: "R100", count: 1 } });
    expect(sent[0]).toMatchObject({ spec: { nodeSelector: { "gpu.nvidia.com/class": "R100" } } });
  });

  test("without GPUs has no toleration for them, and bears the labels that it is given", async () => {
    const { provider, sent } = await worldOf();
    await provider.spawn({
      key: "k",
      spec: "turin-gp",
      pod: { labels: { ...INTERRUPTIBLE, "slipway.dev/owner": "x" } },
    });
    expect(sent[0]).not.toHaveProperty("spec.tolerations");
    expect(sent[0]).toMatchObject({ metadata: { labels: { ...INTERRUPTIBLE, "slipway.dev/owner": "team-a" } } });
  });

  test.each([
    ["more GPUs than a node has", { spec: "gd-1xgh200", gpu: { count: 2 } }, "has 1 GH200"],
    ["another GPU than the node's", { spec: "b200-8x", gpu: { type: "H100", count: 1 } }, "has 8 B200"],
    ["a cap below the price", { spec: "gd-8xh100ib-i128", maxUsdPerHour: 49 }, "costs 49.24"],
    ["a cap on a share of a node", { gpu: { type: "H100", count: 1 }, maxUsdPerHour: 100 }, "is not known"],
    ["a cap on a price on request", { spec: "b300-8x", maxUsdPerHour: 1_000 }, "is not known"],
  ])("with %s is refused before any call", async (_, options, says) => {
    const { provider, paths } = await worldOf();
    const error = await failure(provider.spawn({ key: "k", ...options }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", provider: "coreweave", effect: "none" });
    expect(error.message).toContain(says);
    expect(paths).toEqual([]);
  });
});

describe("a node that is about to be reclaimed", () => {
  test("shows as the reason of its instances", async () => {
    const world = await worldOf();
    const { id, statusReason } = await world.provider.spawn({ key: "k" });
    expect(statusReason).toBeUndefined();
    world.nodeLabels = { "qos.coreweave.cloud/pending-preemption": "true" };
    expect(await world.provider.get(id)).toMatchObject({
      status: "running",
      statusReason: { code: "PendingPreemption" },
    });
  });

  test("is not seen by who may not read nodes, who is not asked again", async () => {
    const world = await worldOf();
    world.nodeLabels = null;
    const { id } = await world.provider.spawn({ key: "k" });
    expect(await world.provider.get(id)).not.toHaveProperty("statusReason");
    expect(world.paths.filter((each) => each.includes("/nodes/"))).toHaveLength(1);
  });
});

test("volumes are of Distributed File Storage", async () => {
  const { provider, sent } = await worldOf();
  await provider.createVolume({ key: "v", sizeBytes: 1024 ** 3 });
  expect(sent[0]).toMatchObject({ spec: { storageClassName: "shared-vast", accessModes: ["ReadWriteMany"] } });
});

test("the profile is no option", () => {
  const options = { owner: "o", profile: "generic" };
  expect(() => coreweave(options)).toThrow("profile: is CoreWeave's own here");
});
