import { type Admin, adminOf, kubeconfigOf, MACHINE_IMAGE } from "slipway-kubernetes-cluster";
import type {} from "slipway-kubernetes-cluster/global-setup";
import { inject, onTestFinished } from "vitest";
import { type KubernetesOptions, type KubernetesProvider, kubernetes } from "../../src/index.ts";
import { writeKubeconfig } from "../world.ts";
import { newNamespace } from "./namespaces.ts";
import { SMALL_PODS } from "./small-pods.ts";

export interface ClusterWorld {
  readonly admin: Admin;
  readonly namespace: string;
  readonly provider: KubernetesProvider;
  /** Another process: it shares nothing but the cluster. */
  readonly another: (options?: Partial<KubernetesOptions>, token?: string) => Promise<KubernetesProvider>;
  /** Makes an object in the namespace, or throws what the server says. */
  readonly make: (collection: string, body: object) => Promise<void>;
}

/** A namespace of the real server with the README's rights, and a provider in it. */
export async function clusterWorld(): Promise<ClusterWorld> {
  const cluster = inject("cluster");
  const admin = adminOf(cluster);
  const namespace = await newNamespace(cluster, admin);
  onTestFinished(async () => {
    await admin.request("DELETE", `api/v1/namespaces/${namespace}/pods`, { gracePeriodSeconds: 0 });
  });
  const another: ClusterWorld["another"] = async (options = {}, token = cluster.tenantToken) => {
    const kubeconfig = await writeKubeconfig(kubeconfigOf(cluster, token, namespace));
    return kubernetes({ owner: "tests", image: MACHINE_IMAGE, ...SMALL_PODS, kubeconfig, ...options });
  };
  return {
    admin,
    namespace,
    another,
    provider: await another(),
    make: async (collection, body) => {
      const { status, text } = await admin.request("POST", `api/v1/namespaces/${namespace}/${collection}`, body);
      if (status !== 201) throw new Error(text);
    },
  };
}
