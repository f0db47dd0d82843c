import { setTimeout as pause } from "node:timers/promises";
import { type RunningCluster } from "slipway-kubernetes-cluster";
import { type KubernetesProvider, kubernetes } from "../src/index.ts";
import { clusterTransport } from "./cluster-transport.ts";
import { OWNER, soakRequest } from "./soak-request.ts";

const DOWN_MS = 1_000;

interface Absence {
  readonly cluster: RunningCluster;
  readonly kubeconfig: string;
  readonly key: string;
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
  /** For each request that found nobody. */
  readonly onMet: () => void;
}

/**
 * Restarts the API server under two calls: a spawn, stopped before its first write, and a listing. It stays away until both
 * have met that. Resolves when both have what they were called for, and the spawned pod is terminated.
 */
export async function restartUnderCalls({ cluster, kubeconfig, key, patiently, onMet }: Absence): Promise<void> {
  const transport = clusterTransport(kubeconfig);
  const [held, down] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const met = { GET: Promise.withResolvers<void>(), POST: Promise.withResolvers<void>() };
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const method = init?.method === "POST" ? "POST" : "GET";
    if (method === "POST") {
      held.resolve();
      await down.promise;
    }
    try {
      return await transport(input, init);
    } catch (error) {
      onMet();
      met[method].resolve();
      throw error;
    }
  };
  const provider: KubernetesProvider = kubernetes({ owner: OWNER, kubeconfig, runtime: { fetch } });
  const spawned = patiently(() => provider.spawn(soakRequest(key, { real: false })));
  const listed = held.promise.then(() => down.promise).then(() => patiently(() => provider.list()));
  // Both are waited for below.
  for (const call of [spawned, listed]) call.catch(() => undefined);
  await Promise.race([held.promise, spawned]);
  await cluster.restartApiServer(async () => {
    down.resolve();
    await Promise.race([Promise.all([met.GET.promise, met.POST.promise]), Promise.all([spawned, listed])]);
    await pause(DOWN_MS);
  });
  await listed;
  const { id } = await spawned;
  await patiently(() => provider.terminate(id));
}
