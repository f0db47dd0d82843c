import { type RuntimeEvent, systemClock } from "@slipway/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slurm } from "../../src/index.ts";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";

const COUNT = 200;
let cluster: SlurmCluster;
beforeAll(async () => {
  cluster = await slurmCluster();
});
afterAll(() => cluster.close(), 60_000);

test(`${COUNT} instances are listed and waited for with one squeue per poll`, { timeout: 300_000 }, async () => {
  const programs: string[] = [];
  const onEvent = (event: RuntimeEvent): void => {
    if (event.type === "command.run") programs.push(event.command[0] ?? "");
  };
  const counted = (): Readonly<Record<string, number>> => {
    const counts = Object.fromEntries([...Map.groupBy(programs, String)].map(([name, all]) => [name, all.length]));
    programs.length = 0;
    return counts;
  };
  const provider = slurm({ owner: "fleet", slurmConf: cluster.slurmConf, runtime: { onEvent } });
  const keys = Array.from({ length: COUNT }, (_, index) => `job-${index}`);
  const spawned = await Promise.all(keys.map((key) => provider.spawn({ key })));
  const { squeue = 0, ...writes } = counted();
  process.stdout.write(
    `commands for ${COUNT} spawns: ${JSON.stringify({ squeue, ...writes })}; then one squeue per poll\n`,
  );
  // A release takes along all that wait for one; one `scontrol` more reads the cluster's name, once.
  const { sbatch, scontrol = 0, ...others } = writes;
  expect({ sbatch, ...others }).toEqual({ sbatch: COUNT });
  expect(scontrol).toBeLessThan(COUNT / 2);
  expect(squeue).toBeLessThan(COUNT / 4);

  expect(await provider.list()).toHaveLength(COUNT);
  expect(counted()).toEqual({ squeue: 1 });
  const now = await Promise.all(spawned.map(({ id }) => provider.get(id)));
  expect(now.filter((one) => one !== null)).toHaveLength(COUNT);
  expect(counted()).toEqual({ squeue: 1 });

  // Ten minutes later.
  const clock = { ...systemClock, now: () => systemClock.now() + 600_000 };
  const later = slurm({ owner: "fleet", slurmConf: cluster.slurmConf, runtime: { onEvent, clock } });
  await Promise.all(spawned.map(({ id }) => later.terminate(id)));
  const { scancel = 0 } = counted();
  process.stdout.write(`${scancel} scancel for ${COUNT} terminations\n`);
  expect(scancel).toBeLessThan(COUNT / 2);
  expect(await provider.list({ status: ["pending", "running"] })).toEqual([]);
});
