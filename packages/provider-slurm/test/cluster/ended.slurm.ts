import { afterAll, beforeAll, expect, test } from "vitest";
import { slurm } from "../../src/index.ts";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";

let cluster: SlurmCluster;
beforeAll(async () => {
  cluster = await slurmCluster();
});
afterAll(() => cluster.close(), 60_000);

test("a failed instance is an error until someone terminates it, and then for nobody", {
  timeout: 60_000,
}, async () => {
  // Two providers share nothing but the cluster, as two processes do.
  const one = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
  const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
  const { id } = await one.spawn({ key: "lost", spec: "main" });
  await expect.poll(async () => (await one.get(id))?.status, { timeout: 20_000 }).toBe("running");
  const { nodes } = (await one.get(id)) ?? { nodes: "" };
  await cluster.setNode(nodes, "down");
  try {
    await expect.poll(async () => (await other.get(id))?.status, { timeout: 20_000 }).toBe("error");
    expect((await other.get(id))?.statusReason?.code).toBe("NODE_FAIL");
    await one.terminate(id);
    expect((await other.get(id))?.status).toBe("terminated");
    expect(await other.list()).toEqual([]);
    await other.terminate(id);
    // What tells it to the others holds nothing, and ends by itself.
    await expect.poll(() => cluster.run("squeue", "-h", "-a"), { timeout: 20_000 }).toBe("");
    expect((await cluster.run("squeue", "-h", "-t", "all", "-o", "%N")).trim()).toBe(nodes);
  } finally {
    await cluster.setNode(nodes, "idle");
  }
});
