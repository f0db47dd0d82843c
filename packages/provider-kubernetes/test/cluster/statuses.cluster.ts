import { describe, expect, test, vi } from "vitest";
import type { KubernetesSpawnOptions } from "../../src/index.ts";
import { statusOf } from "../../src/statuses.ts";
import { podAnswer } from "../../src/wire.ts";
import { capture } from "./captured.ts";
import { type ClusterWorld, clusterWorld } from "./world.ts";

const PATIENCE = { timeout: 90_000, interval: 100 };

/** Makes a pod that comes into the row's state by itself; answers its name. */
type Provoke = (world: ClusterWorld) => Promise<string>;

const spawned = (options: KubernetesSpawnOptions): Provoke => {
  return async ({ provider }) => (await provider.spawn({ key: "k", ...options })).remoteName ?? "";
};
const script = (text: string): Provoke => spawned({ pod: { command: ["/bin/sh", "-c", text] } });

/** What the provider itself never asks for. */
const byHand = (more: object, container: object = {}): Provoke => {
  return async ({ make }) => {
    const main = { name: "main", image: "registry.test/machine:1", command: ["/bin/sleep", "3600"], ...container };
    const spec = { containers: [main], restartPolicy: "Never", terminationGracePeriodSeconds: 1, ...more };
    await make("pods", { apiVersion: "v1", kind: "Pod", metadata: { name: "by-hand" }, spec });
    return "by-hand";
  };
};

const PROVOKED: Readonly<Record<string, Provoke>> = {
  running: spawned({}),
  exited: script("echo last words > /dev/termination-log; exit 3"),
  "out-of-memory": script("exec tail /dev/zero"),
  "start-error": spawned({ pod: { command: ["/no/such/program"] } }),
  image: spawned({ image: "registry.test/nothing:1" }),
  "wrong-image": spawned({ image: "Not An Image" }),
  "not-scheduled": spawned({ pod: { nodeSelector: { nowhere: "true" } } }),
  pending: spawned({ pod: { schedulerName: "nobody" } }),
  "container-config": byHand({}, { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "a" } } }] }),
  deadline: byHand({ activeDeadlineSeconds: 1 }),
  // Past the scheduler, to a node that has no such room.
  "refused-by-node": byHand({ nodeName: "localhost" }, { resources: { requests: { cpu: "500" } } }),
  "crash-loop": byHand({ restartPolicy: "Always" }, { command: ["/bin/false"] }),
  deleting: async (world) => {
    const name = await script("trap '' TERM; while :; do sleep 1; done")(world);
    // One that has not begun is gone at once.
    const isRunning = async () => expect(await world.provider.list()).toMatchObject([{ status: "running" }]);
    await vi.waitFor(isRunning, PATIENCE);
    await world.admin.request("DELETE", `api/v1/namespaces/${world.namespace}/pods/${name}`, {
      gracePeriodSeconds: 30,
    });
    return name;
  },
};

describe("what the real node reports", () => {
  test.each(Object.entries(PROVOKED))("%s", async (row, provoke) => {
    const world = await clusterWorld();
    const path = `api/v1/namespaces/${world.namespace}/pods/${await provoke(world)}`;
    const pod = await vi.waitFor(async () => {
      const { json } = await world.admin.request("GET", path);
      expect(statusOf(podAnswer.parse(json)).row.id).toBe(row);
      return json;
    }, PATIENCE);
    await capture("pods", row, pod);
  });
});
