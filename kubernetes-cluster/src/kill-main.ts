import { commandRunner } from "@slipway/provider-kit/command";
import { z } from "zod";
import { adminOf } from "./admin.ts";
import type { TestCluster } from "./test-cluster.ts";

const LIMIT_MS = 60_000;

const wirePod = z.object({
  status: z.object({
    phase: z.string(),
    containerStatuses: z.array(z.object({ containerID: z.string().optional(), state: z.looseObject({}) })).optional(),
  }),
});

/** Kills the pod's first process from the node, as the kernel would; resolves when the server knows that it has failed. */
export async function killMain(cluster: TestCluster, path: string): Promise<void> {
  const admin = adminOf(cluster);
  const run = commandRunner({ defaults: { timeoutMs: LIMIT_MS } });
  const killed = new Set<string>();
  for (const until = performance.now() + LIMIT_MS; performance.now() < until; ) {
    const answer = await admin.request("GET", path);
    const { phase, containerStatuses = [] } = wirePod.parse(answer.json).status;
    if (phase === "Failed") return;
    const [container] = containerStatuses;
    const id = container?.containerID?.split("://")[1];
    if (id !== undefined && "running" in (container?.state ?? {}) && !killed.has(id)) {
      const task = ["--namespace", "k8s.io", "task", "kill", "--signal", "SIGKILL", id];
      const { exitCode, stderr } = await run("ctr", ["--address", cluster.containerd, ...task]);
      if (exitCode !== 0) throw new Error(stderr);
      killed.add(id);
    }
    // The kubelet needs a moment to start it, and to see that it has ended.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} did not fail in time`);
}
