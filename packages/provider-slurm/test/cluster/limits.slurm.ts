import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { slurm } from "../../src/index.ts";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";
import { failure } from "../failure.ts";

// With ALL `sbatch` refuses; with NO, Slurm's default, it accepts what can never start, and the job waits for ever.
describe.each(["ALL", "NO"] as const)("EnforcePartLimits=%s", (enforcePartLimits) => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await slurmCluster({ enforcePartLimits });
  });
  afterAll(() => cluster.close(), 60_000);
  const provider = (more: object = {}) =>
    slurm({ owner: "tests", slurmConf: cluster.slurmConf, partition: "main", reasonTimeoutMs: 20_000, ...more });

  test.each([
    ["more CPUs than a node has", { resources: { cpus: 64 } }, {}],
    ["more memory than a node has", { resources: { memoryBytes: 1024 ** 4 } }, {}],
    ["more GPUs than a node has", { gpu: { type: "test", count: 9 } }, {}],
    ["a type of GPU that no node has", { gpu: { type: "nope", count: 1 } }, {}],
    ["GPUs in a partition that has none", { spec: "short", gpu: { count: 1 } }, {}],
    ["a longer time than the partition allows", { spec: "short" }, { timeLimitMinutes: 60 }],
    ["a partition that is not there", { spec: "nope" }, {}],
    ["a longer time for this job", { spec: "short", timeLimitMinutes: 60 }, {}],
    ["a feature that no node has", { constraint: "nope" }, {}],
    ["a reservation that is not there", { reservation: "nope" }, {}],
  ])("%s is refused, and no job is left", async (_, asked, config) => {
    const error = await failure(provider(config).spawn({ key: "never", ...asked }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect((await cluster.run("squeue", "-h", "-a")).trim()).toBe("");
    expect(await provider().list()).toEqual([]);
  });

  test("a job of a closed partition waits, with the reason", async () => {
    const one = await provider().spawn({ key: "closed", spec: "down" });
    const now = await provider().get(one.id);
    expect(now).toMatchObject({
      status: "pending",
      statusReason: { code: expect.stringMatching(/^(PartitionDown|None)$/) },
    });
    await provider().terminate(one.id);
  });

  test("a drained partition refuses, or lets wait", async () => {
    await cluster.setPartition("short", "DRAIN");
    try {
      expect(await failure(provider().spawn({ key: "drained", spec: "short" }))).toMatchObject({
        code: "UNAVAILABLE",
        scope: "placement",
        effect: "none",
      });
    } finally {
      await cluster.setPartition("short", "UP");
    }
  });
});
