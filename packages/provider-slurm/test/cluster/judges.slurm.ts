import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { memoryStore, reconcile } from "@slipway/control";
import { systemClock } from "@slipway/core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { slurm } from "../../src/index.ts";
import { missingTools, type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";
import { failure } from "../failure.ts";
import { type Judge, queueWith, startJudge } from "../judges/judge.ts";

const COUNT = 6;
const QUEUED = 40;
const COMMANDS = ["sbatch", "squeue", "sacct", "scontrol", "scancel", "srun", "sinfo"];
const isMissing = missingTools({ accounting: true }) !== undefined && process.env["SLIPWAY_REQUIRE_TOOLS"] !== "1";
let cluster: SlurmCluster;
let judge: Judge;
let log: string;
let environment: Record<string, string>;

beforeAll(async () => {
  if (isMissing) return;
  cluster = await slurmCluster({ accounting: true });
  // Their commands pass through programs that write down which ones they are; ours are told by their events.
  const counting = join(cluster.directory, "counting");
  const directory = join(cluster.directory, "judge");
  await mkdir(counting);
  await mkdir(directory);
  log = join(cluster.directory, "commands.log");
  for (const name of COMMANDS) {
    const text = `#!/bin/sh\necho ${name} >>${log}\nPATH=\${PATH#*:} exec ${name} "$@"\n`;
    await writeFile(join(counting, name), text, { mode: 0o755 });
  }
  const path = `${counting}:${process.env["PATH"] ?? ""}`;
  environment = { PATH: path, HOME: directory, SLURM_CONF: cluster.slurmConf };
  judge = await startJudge(directory, COUNT, environment);
}, 600_000);
afterAll(async () => {
  if (isMissing) return;
  judge?.kill();
  await cluster?.close();
}, 120_000);

const shown = async (...words: readonly string[]): Promise<readonly string[]> =>
  (await cluster.run("squeue", "-h", "-a", ...words)).split("\n").filter((line) => line !== "");

test.skipIf(isMissing)(
  "submitit and dask-jobqueue run beside us, and are neither listed nor touched",
  { timeout: 300_000 },
  async () => {
    const theirs = [...judge.jobs.submitit, ...judge.jobs.dask];
    expect(theirs).toHaveLength(COUNT + 1);
    const provider = slurm({ owner: "judged", slurmConf: cluster.slurmConf });
    const keys = Array.from({ length: COUNT }, (_, index) => `job-${index}`);
    const mine = await Promise.all(keys.map((key) => provider.spawn({ key, spec: "main" })));
    await expect
      .poll(async () => (await provider.list({ status: ["running"] })).length, { timeout: 60_000, interval: 500 })
      .toBe(COUNT);
    const listed = (await provider.list()).map(({ nativeId }) => nativeId);
    expect(listed.toSorted()).toEqual(mine.map(({ nativeId }) => nativeId).toSorted());
    const seen = await Promise.all(theirs.map((number) => provider.get(number)));
    expect(seen.map((one) => one?.owner)).toEqual(theirs.map(() => null));
    const plan = await reconcile(provider, { store: memoryStore() });
    expect(plan.items.filter(({ instanceId }) => theirs.some((number) => instanceId.includes(`/${number}@`)))).toEqual(
      [],
    );
    for (const number of theirs) {
      expect(await failure(provider.terminate(number))).toMatchObject({ effect: "none" });
    }
    for (const { id } of mine) await provider.terminate(id);
    await expect
      .poll(() => shown("-n", mine.map(({ remoteName }) => remoteName).join(",")), { timeout: 120_000 })
      .toEqual([]);

    // Theirs still run, and come to what they should.
    expect((await shown("-t", "RUNNING", "-o", "%i")).toSorted()).toEqual(theirs.toSorted());
    expect(await judge.finish()).toEqual({
      results: keys.map((_, index) => index * index),
      total: keys.reduce((sum, _, index) => sum + index * index, 0),
    });

    // The administrator sees nothing of ours that goes on.
    await expect.poll(() => shown(), { timeout: 120_000 }).toEqual([]);
    const jobs = (await cluster.run("scontrol", "show", "jobs", "-o"))
      .split("\n")
      .filter((line) => line.includes('"slipway":1'));
    expect(jobs.filter((line) => !/JobState=CANCELLED /.test(line))).toEqual([]);
    const ended = async () =>
      (
        await cluster.run(
          "sacct",
          "-a",
          "-X",
          "-P",
          "-n",
          "-S",
          "now-1hour",
          "-s",
          "PENDING,RUNNING,SUSPENDED",
          "-o",
          "JobID",
        )
      ).trim();
    await expect.poll(ended, { timeout: 120_000 }).toBe("");
  },
);

test.skipIf(isMissing)(`no more commands than either of them for ${QUEUED} jobs`, { timeout: 300_000 }, async () => {
  const directory = join(cluster.directory, "judge");
  const counted = async (work: () => Promise<number>): Promise<number> => {
    await writeFile(log, "");
    expect(await work()).toBe(QUEUED);
    const names = (await readFile(log, "utf8")).trim().split("\n");
    const each = [...Map.groupBy(names, String)].map(([name, all]) => `${all.length} ${name}`);
    process.stdout.write(`commands for ${QUEUED} jobs: ${each.join(", ")}\n`);
    return names.length;
  };
  // Submitted, looked at, and cancelled, as they do it: the partition is closed, so nothing runs.
  const ours = async (): Promise<number> => {
    vi.stubEnv("PATH", environment["PATH"]);
    const provider = slurm({ owner: "counted", slurmConf: cluster.slurmConf });
    const keys = Array.from({ length: QUEUED }, (_, index) => `queued-${index}`);
    await Promise.all(keys.map((key) => provider.spawn({ key, spec: "down" })));
    const listed = await provider.list();
    // Jobs that are not of the last minutes: the number alone is enough to cancel them.
    const clock = { ...systemClock, now: () => systemClock.now() + 600_000 };
    const later = slurm({ owner: "counted", slurmConf: cluster.slurmConf, runtime: { clock } });
    await Promise.all(listed.map(({ id }) => later.terminate(id)));
    vi.unstubAllEnvs();
    expect(await provider.list()).toEqual([]);
    return listed.length;
  };
  const [mine, ...theirs] = [
    await counted(ours),
    await counted(() => queueWith("submitit", directory, QUEUED, environment)),
    await counted(() => queueWith("dask-jobqueue", directory, QUEUED, environment)),
  ];
  for (const others of theirs) expect(mine).toBeLessThanOrEqual(others);
});
