import { z } from "zod";
import type { Admin } from "./admin.ts";

const NODE = "stand-in";

const event = z.object({
  type: z.string(),
  object: z.object({
    metadata: z.object({
      name: z.string(),
      namespace: z.string(),
      uid: z.string(),
      deletionTimestamp: z.string().optional(),
    }),
    spec: z.object({
      nodeName: z.string().optional(),
      schedulerName: z.string().optional(),
      containers: z.array(z.object({ name: z.string(), image: z.string() })),
      volumes: z.array(z.object({ secret: z.object({ secretName: z.string() }).optional() })).optional(),
    }),
    status: z.object({ phase: z.string().optional() }),
  }),
});
type Pod = z.infer<typeof event>["object"];

export interface StandInNode {
  readonly close: () => Promise<void>;
}

/**
 * Stands in for the scheduler and a kubelet: it binds every pod, reports it as running once its Secret is there, and
 * confirms that it has ended. It runs nothing: what is proven here is what the API server does with our requests.
 */
export async function startStandInNode(admin: Admin): Promise<StandInNode> {
  const capacity = { cpu: "1000", memory: "1000Gi", pods: "1000", "nvidia.com/gpu": "1000" };
  await admin.request("POST", "api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: NODE } });
  const status = {
    capacity,
    allocatable: capacity,
    conditions: [{ type: "Ready", status: "True", reason: "StandIn" }],
  };
  await admin.request("PATCH", `api/v1/nodes/${NODE}/status`, { status });

  const stop = new AbortController();
  const pending = new Map<string, Pod>();
  const act = (pod: Pod): void => {
    void tend(admin, pod, pending).catch(() => undefined);
  };
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await admin
        .watch("api/v1/pods?watch=true", stop.signal, (raw) => {
          const parsed = event.safeParse(raw);
          if (parsed.success && parsed.data.type !== "DELETED") act(parsed.data.object);
        })
        .catch(() => undefined);
    }
  })();
  // A Secret may come later than its pod, and a claim stays until its last pod has gone.
  const again = setInterval(() => {
    for (const pod of pending.values()) act(pod);
    void releaseClaims(admin).catch(() => undefined);
  }, 100);
  return {
    close: async () => {
      clearInterval(again);
      stop.abort();
      await watching;
    },
  };
}

async function tend(admin: Admin, pod: Pod, pending: Map<string, Pod>): Promise<void> {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const path = `api/v1/namespaces/${namespace}/pods/${name}`;
  if (deletionTimestamp !== undefined) {
    pending.delete(uid);
    await admin.request("DELETE", path, { gracePeriodSeconds: 0, preconditions: { uid } });
    return;
  }
  if (pod.spec.nodeName === undefined) {
    if (pod.spec.schedulerName !== "default-scheduler") return;
    const target = { apiVersion: "v1", kind: "Node", name: NODE };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, uid }, target };
    await admin.request("POST", `${path}/binding`, binding);
    return;
  }
  if ((pod.status.phase ?? "Pending") !== "Pending") {
    pending.delete(uid);
    return;
  }
  for (const { secret } of pod.spec.volumes ?? []) {
    if (secret === undefined) continue;
    const found = await admin.request("GET", `api/v1/namespaces/${namespace}/secrets/${secret.secretName}`);
    if (found.status === 200) continue;
    pending.set(uid, pod);
    return;
  }
  pending.delete(uid);
  const startedAt = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const containerStatuses = pod.spec.containers.map(({ name: container, image }) => ({
    ...{ name: container, image, imageID: "", ready: true, restartCount: 0 },
    state: { running: { startedAt } },
  }));
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: "True",
  }));
  await admin.request("PATCH", `${path}/status`, {
    metadata: { uid },
    status: { phase: "Running", podIP: "10.1.0.7", podIPs: [{ ip: "10.1.0.7" }], containerStatuses, conditions },
  });
}

const claims = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string(), deletionTimestamp: z.string().optional() }),
    }),
  ),
});

/** What the controller of `kubernetes.io/pvc-protection` does, for claims that nobody uses here any more. */
async function releaseClaims(admin: Admin): Promise<void> {
  const { items } = claims.parse((await admin.request("GET", "api/v1/persistentvolumeclaims?resourceVersion=0")).json);
  for (const { metadata } of items) {
    if (metadata.deletionTimestamp === undefined) continue;
    const path = `api/v1/namespaces/${metadata.namespace}/persistentvolumeclaims/${metadata.name}`;
    await admin.request("PATCH", path, { metadata: { finalizers: null } });
  }
}
