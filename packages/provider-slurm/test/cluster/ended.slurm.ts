import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Exec } from "@slipway/core";
import { commandRunner } from "@slipway/provider-kit/command";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slurm } from "../../src/index.ts";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";

let cluster: SlurmCluster;
beforeAll(async () => {
  // The controller waits as long as a test does for a node that stands still; else it asks again after minutes.
  cluster = await slurmCluster({ messageTimeoutSeconds: 90 });
});
afterAll(() => cluster.close(), 60_000);

test("a failed instance is an error until someone terminates it, and then for nobody", {
  timeout: 180_000,
}, async () => {
  // Two providers share nothing but the cluster, as two processes do.
  const one = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
  const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
  const { id } = await one.spawn({ key: "lost", spec: "main" });
  await expect.poll(async () => (await one.get(id))?.status, { timeout: 120_000 }).toBe("running");
  const { nodes } = (await one.get(id)) ?? { nodes: "" };
  await cluster.setNode(nodes, "down");
  try {
    await expect.poll(async () => (await other.get(id))?.status, { timeout: 120_000 }).toBe("error");
    expect((await other.get(id))?.statusReason?.code).toBe("NODE_FAIL");
    await one.terminate(id);
    expect((await other.get(id))?.status).toBe("terminated");
    expect(await other.list()).toEqual([]);
    await other.terminate(id);
    // What tells it to the others holds nothing, and ends by itself.
    await expect.poll(() => cluster.run("squeue", "-h", "-a"), { timeout: 120_000 }).toBe("");
    expect((await cluster.run("squeue", "-h", "-t", "all", "-o", "%N")).trim()).toBe(nodes);
  } finally {
    await cluster.setNode(nodes, "idle");
  }
});

test("where the bootstrap's directory is shared, its end and its log are told after the job's", {
  timeout: 180_000,
}, async () => {
  const shared = slurm({ owner: "tests", slurmConf: cluster.slurmConf, sharedBootstrapDirectory: true });
  const script = "echo first; echo second; exit 7";
  const { id } = await shared.spawn({ key: "shared", spec: "main", bootstrap: { script } });
  const bootstrap = async () => (await shared.get(id))?.bootstrap;
  await expect.poll(bootstrap, { timeout: 120_000 }).toEqual({ state: "failed", exitCode: 7 });
  const following = linesOf(shared.logs(id, { follow: true }));
  await shared.terminate(id);
  await expect.poll(async () => (await shared.get(id))?.status, { timeout: 120_000 }).toBe("terminated");
  expect(await following).toEqual(expect.arrayContaining(["first", "second"]));
  expect(await bootstrap()).toEqual({ state: "failed", exitCode: 7 });
  expect(await linesOf(shared.logs(id))).toEqual(await following);
  const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
  expect((await other.get(id))?.bootstrap).toEqual({ state: "unknown" });
});

async function linesOf(lines: AsyncIterable<string>): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

/** A running instance whose node does not say that anything has ended, so that its job stays COMPLETING. */
async function stuck(key: string, config: object = {}) {
  const provider = slurm({ owner: "tests", slurmConf: cluster.slurmConf, ...config });
  const flag = join(cluster.directory, key);
  const script = `until [ -e ${flag} ]; do sleep 0.1; done; kill -9 "$SLURM_TASK_PID"`;
  const { id, nativeId } = await provider.spawn({ key, spec: "main", bootstrap: { script } });
  await expect.poll(async () => (await provider.get(id))?.bootstrap?.state, { timeout: 120_000 }).toBe("running");
  const { nodes } = (await provider.get(id)) ?? { nodes: "" };
  await cluster.pauseNode(nodes);
  const state = async () => (await provider.get(id))?.state;
  // Slurm forgets it soon.
  const status = async () => (await provider.get(id))?.status ?? "terminated";
  const hasEnded = () =>
    expect
      .poll(async () => [await state(), await status()], { timeout: 120_000 })
      .toSatisfy(([now, told]) => now !== "COMPLETING" && told === "terminated");
  return {
    provider,
    id,
    nativeId,
    state,
    hasEnded,
    fail: () => writeFile(flag, ""),
    resume: () => cluster.resumeNode(nodes),
  };
}

test("one that fails is an error while Slurm still clears it away, and terminated then it stays so", {
  timeout: 180_000,
}, async () => {
  const { provider, id, state, hasEnded, fail, resume } = await stuck("failing");
  try {
    await fail();
    await expect.poll(state, { timeout: 120_000 }).toBe("COMPLETING");
    expect((await provider.get(id))?.status).toBe("error");
    // A process that has seen nothing of it: what it knows is what the cluster says.
    const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
    await other.terminate(id);
    expect((await other.get(id))?.status).toBe("terminating");
    expect(await state()).toBe("COMPLETING");
  } finally {
    await resume();
  }
  await hasEnded();
});

test("one that Slurm is about to run again is pending, keeps its key, and terminated it does not come back", {
  timeout: 180_000,
}, async () => {
  const { provider, id, nativeId, state, hasEnded, resume } = await stuck("again", { requeue: true });
  try {
    await cluster.run("scontrol", "requeue", nativeId);
    expect(await state()).toBe("COMPLETING");
    expect((await provider.get(id))?.status).toBe("pending");
    const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf });
    expect((await other.list({ keys: ["again"], status: ["pending"] })).map((one) => one.id)).toEqual([id]);
    await other.terminate(id);
    expect((await other.get(id))?.status).toBe("terminating");
  } finally {
    await resume();
  }
  await hasEnded();
});

test("one that fails between the look and the cancelling is terminated all the same", {
  timeout: 180_000,
}, async () => {
  const { id, state, hasEnded, fail, resume } = await stuck("late");
  const run = commandRunner({ provider: "slurm", inherit: ["PATH"] });
  const exec: Exec = async (file, args, options) => {
    if (file === "scancel") {
      await fail();
      await expect.poll(state, { timeout: 120_000 }).toBe("COMPLETING");
    }
    return await run(file, args, options);
  };
  try {
    const other = slurm({ owner: "tests", slurmConf: cluster.slurmConf, runtime: { exec } });
    await other.terminate(id);
  } finally {
    await resume();
  }
  await hasEnded();
});
