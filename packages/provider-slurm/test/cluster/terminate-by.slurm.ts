import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "@slipway/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SlurmSpawnOptions, slurm } from "../../src/index.ts";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";

const CLIENT = fileURLToPath(new URL("client-to-kill.ts", import.meta.url));
const LEAD_MS = 50_000;
const WAIT_MS = 25_000;
// Three commands fit into it on a busy machine too.
const LOOK_MS = 8_000;

let cluster: SlurmCluster;
beforeAll(async () => {
  cluster = await slurmCluster();
});
afterAll(() => cluster.close(), 60_000);

/** Spawned by a process of its own, which is killed as soon as Slurm has them: their numbers. */
async function spawnedByTheKilled(all: readonly SlurmSpawnOptions[]): Promise<readonly string[]> {
  const child = fork(CLIENT, {
    execArgv: ["--conditions=@slipway/source"],
    env: { ...process.env, NODE_OPTIONS: "", SLURM_CONF: cluster.slurmConf },
  });
  const exit = once(child, "exit");
  child.send([...all]);
  const [numbers] = await Promise.race([once(child, "message"), exit]);
  child.kill("SIGKILL");
  await exit;
  return numbers;
}

interface Shown {
  readonly state: string;
  readonly started: number;
  readonly ended: number;
}

/** What the administrator sees of a job; times in milliseconds. */
async function shown(number: string): Promise<Shown> {
  const text = await cluster.run("env", "TZ=UTC", "scontrol", "show", "job", "-o", number);
  const field = (name: string): string => new RegExp(`\\b${name}=(\\S+)`).exec(text)?.[1] ?? "";
  const time = (name: string): number => Date.parse(`${field(name)}Z`);
  return { state: field("JobState"), started: time("StartTime"), ended: time("EndTime") };
}

test("an end comes at its time and not before, though every process of ours is killed", {
  timeout: 300_000,
}, async () => {
  const at = systemClock.now() + LEAD_MS;
  const late = slurm({ owner: "tests", slurmConf: cluster.slurmConf }).limits.terminateLateMs ?? 0;
  const ran = (key: string): string => join(cluster.directory, `ran-${key}`);
  const asked = (key: string, more: Partial<SlurmSpawnOptions> = {}): SlurmSpawnOptions => ({
    key,
    spec: "main",
    terminateBy: new Date(at).toISOString(),
    bootstrap: { script: `touch ${ran(key)}` },
    ...more,
  });
  for (const node of ["g1", "g2"]) {
    await cluster.run("sbatch", "--output=/dev/null", "--gres=gpu:2", `--nodelist=${node}`, "--wrap=sleep 600");
  }
  await cluster.setPartition("short", "DOWN");
  const [atOnce = "", limited = "", waits = "", queued = "", closed = ""] = await spawnedByTheKilled([
    asked("at-once"),
    asked("limited", { timeLimitMinutes: 60 }),
    // It starts late, and its time limit counts from then.
    asked("waits", { spec: "down" }),
    // These two never start.
    asked("queued", { gpu: { type: "test", count: 2 } }),
    asked("closed", { spec: "short" }),
  ]);
  for (const number of [waits, queued, closed]) expect(await shown(number)).toMatchObject({ state: "PENDING" });
  await systemClock.sleep(at - WAIT_MS - systemClock.now());
  await cluster.setPartition("down", "UP");
  await systemClock.sleep(at - LOOK_MS - systemClock.now());
  for (const number of [atOnce, waits, limited]) {
    // The controller itself keeps the very second, whenever the job started.
    expect(await shown(number)).toMatchObject({ state: "RUNNING", ended: Math.ceil(at / 1_000) * 1_000 });
  }
  expect((await shown(waits)).started).toBeGreaterThanOrEqual(at - WAIT_MS - 1_000);

  // Slurm forgets what has ended after half a minute: the first to end is looked at first.
  await expect.poll(async () => (await shown(queued)).state, { timeout: late }).toBe("DEADLINE");
  expect((await shown(queued)).ended).toBeGreaterThanOrEqual(at - 1_000);
  for (const number of [atOnce, waits, limited]) {
    const state = async () => (await shown(number)).state;
    await expect.poll(state, { timeout: late, interval: 500 }).toBe("TIMEOUT");
    const { ended } = await shown(number);
    expect(ended).toBeGreaterThanOrEqual(at - 1_000);
    expect(ended).toBeLessThan(at + late);
  }
  expect(existsSync(ran("waits"))).toBe(true);
  // Slurm does not look at what waits in a closed partition: it holds nothing, and ends before it starts.
  expect((await shown(closed)).state).toBe("PENDING");
  await cluster.setPartition("short", "UP");
  await expect.poll(async () => (await shown(closed)).state, { timeout: 120_000 }).toBe("DEADLINE");
  expect([ran("queued"), ran("closed")].filter((file) => existsSync(file))).toEqual([]);
});
