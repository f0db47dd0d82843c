import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetes } from "@slipway/provider-kubernetes";
import {
  adminOf,
  changedSettings,
  kernelSettings,
  kubeconfigOf,
  MACHINE_IMAGE,
  type RunningCluster,
  startCluster,
} from "slipway-kubernetes-cluster";
import { afterAll, beforeAll, describe } from "vitest";
import { z } from "zod";
import { newNamespace } from "../../../packages/provider-kubernetes/test/cluster/namespaces.ts";
import { SMALL_PODS } from "../../../packages/provider-kubernetes/test/cluster/small-pods.ts";
import type { Place } from "../jobs/clouds.ts";
import { provePlace } from "./prove-place.ts";

const pods = z.object({ items: z.array(z.unknown()) });

describe("a real Kubernetes with one node, whose containers run", () => {
  const settingsBefore = kernelSettings();
  let cluster: RunningCluster;
  let directory: string;
  let namespace: string;
  let kubeconfig: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "slipway-jobs-"));
    cluster = await startCluster();
    namespace = await newNamespace(cluster, adminOf(cluster));
    kubeconfig = join(directory, "config");
    await writeFile(kubeconfig, kubeconfigOf(cluster, cluster.tenantToken, namespace), { mode: 0o600 });
  });
  afterAll(async () => {
    await cluster?.close();
    await rm(directory, { recursive: true, force: true });
    const changed = changedSettings(settingsBefore);
    if (changed.length > 0) throw new Error(`the cluster has changed settings of the kernel: ${changed.join("; ")}`);
  });

  provePlace("kubernetes", (): Place => {
    const left = async (): Promise<number> => {
      const { json } = await adminOf(cluster).request("GET", `api/v1/namespaces/${namespace}/pods`);
      return pods.parse(json).items.length;
    };
    const provider = kubernetes({ owner: "jobs", image: MACHINE_IMAGE, ...SMALL_PODS, kubeconfig });
    return { provider, machine: {}, left };
  });
});
