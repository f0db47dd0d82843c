import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allEntries, fileStore, memoryStore, type Pool, pool, type Store, StoreError } from "@slipway/control";
import { type Clock, ProviderError, systemClock } from "@slipway/core";
import { type LocalProvider, local } from "@slipway/provider-local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type JobSpec, runJobs } from "../src/index.ts";

let directory: string;
let provider: LocalProvider;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-pool-jobs-"));
  provider = local({ owner: "jobs", stateDirectory: directory });
});
afterEach(async () => {
  for (const { id } of await provider.list()) await provider.terminate(id);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Time is real, since the machines are; only the pauses between two looks are short. */
const clock: Clock = {
  now: systemClock.now,
  sleep: (ms, signal) => systemClock.sleep(ms > 5000 ? ms : Math.min(ms, 20), signal),
};
const job = (key: string, script: string): JobSpec<LocalProvider> => ({ key, argv: ["/bin/sh", "-c", script] });

function poolOf(store: Store, name: string, max = 2): Pool {
  return pool(provider, { name, max, desired: max, spawn: {} }, { store, clock });
}

/** Rounds until each slot is idle. */
async function settle(machines: Pool): Promise<readonly (string | undefined)[]> {
  for (let round = 0; round < 200; round += 1) {
    await machines.keep();
    const slots = await machines.slots();
    if (slots.every(({ state }) => state === "idle")) return slots.map(({ instanceId }) => instanceId);
    await clock.sleep(20);
  }
  throw new Error(`the pool is not idle: ${JSON.stringify(await machines.slots())}`);
}

/** Keeps the pool while the work goes on, as a controller does. */
async function whileKept<T>(machines: Pool, work: Promise<T>): Promise<T> {
  let hasEnded = false;
  const keeping = (async () => {
    while (!hasEnded) {
      await machines.keep();
      await clock.sleep(20);
    }
  })();
  try {
    return await work;
  } finally {
    hasEnded = true;
    await keeping;
  }
}

const unavailable = () => new StoreError("UNAVAILABLE", { message: "it restarts", hint: "Wait." });

describe("runJobs with a pool", () => {
  it("runs each job on a machine of the pool, and gives them back", async () => {
    const store = memoryStore();
    const machines = poolOf(store, "plain");
    const before = await settle(machines);
    const jobs = Array.from({ length: 6 }, (_, at) => job(`n${at}`, `echo out ${at}; exit ${at % 3}`));
    const results = await runJobs(provider, jobs, { store, clock, pool: machines, concurrency: 3 });
    const expected = jobs.map(({ key }, at) => ({
      ...{ key, state: "done", repeated: false, stored: false },
      result: { exitCode: at % 3, stdout: `out ${at}\n` },
    }));
    expect(results).toMatchObject(expected);
    expect(await settle(machines)).toEqual(before);
    expect((await allEntries(store, { kind: "launch" })).length).toBe(2);
    const again = await runJobs(provider, jobs, { store, clock, pool: machines });
    expect(again).toMatchObject(expected.map((one) => ({ ...one, stored: true })));
  });

  it("has a new machine for each job where `reuse` is false", async () => {
    const store = memoryStore();
    const machines = poolOf(store, "fresh", 1);
    const [before] = await settle(machines);
    const jobs = [0, 1, 2].map((at) => job(`m${at}`, "ls /seen 2>/dev/null; touch /seen"));
    const running = runJobs(provider, jobs, { store, clock, pool: machines, reuse: false });
    const results = await whileKept(machines, running);
    expect(results.map((one) => (one.state === "done" ? one.result.stdout : one.error))).toEqual(["", "", ""]);
    expect(await settle(machines)).not.toEqual([before]);
  });

  it("discards a machine whose command has no end that anybody saw, and keeps one that a bad request did not touch", async () => {
    const store = memoryStore();
    const machines = poolOf(store, "broken", 1);
    const [before] = await settle(machines);
    const failing = (code: "INVALID_SPEC" | "NETWORK", effect: "none" | "unknown"): LocalProvider => ({
      ...provider,
      exec: async () => {
        const message = "emulated";
        throw new ProviderError(code, { message, provider: "local", operation: "exec", effect });
      },
    });
    const options = { store, clock, pool: machines };
    const [refused] = await runJobs(failing("INVALID_SPEC", "none"), [job("bad", "true")], options);
    expect(refused).toMatchObject({ state: "failed", error: { code: "INVALID_SPEC" } });
    expect(await settle(machines)).toEqual([before]);
    const [cut] = await runJobs(failing("NETWORK", "unknown"), [job("cut", "true")], options);
    expect(cut).toMatchObject({ state: "failed", repeated: false, error: { code: "NETWORK" } });
    expect((await machines.slots()).map(({ state }) => state)).toEqual(["ending"]);
    expect(await settle(machines)).not.toEqual([before]);
    const [again] = await runJobs(provider, [job("cut", "echo ok")], options);
    expect(again).toMatchObject({ state: "done", repeated: true, result: { stdout: "ok\n" } });
  });

  it("gives back what a call claimed that was killed before its command, and what one stored and did not give back", async () => {
    const store = memoryStore();
    const machines = poolOf(store, "claims", 2);
    const before = await settle(machines);
    await machines.claim("job/early/token-of-a-dead-process");
    await machines.claim("job/early%2Fother/token");
    const options = { store, clock, pool: machines };
    expect(await whileKept(machines, runJobs(provider, [job("early", "echo 1")], options))).toMatchObject([
      { state: "done", repeated: false },
    ]);
    // The claim of the other job stands.
    expect((await machines.slots()).map(({ claim }) => claim)).toEqual([undefined, "job/early%2Fother/token"]);
    await machines.release("job/early%2Fother/token");

    const stuck: Pool = { ...machines, release: () => Promise.reject(new Error("no way back")) };
    const [left] = await runJobs(provider, [job("left", "echo 2")], { ...options, pool: stuck });
    expect(left).toMatchObject({ state: "done", leftover: { message: "no way back" }, result: { stdout: "2\n" } });
    expect((await machines.slots()).filter(({ state }) => state === "claimed").length).toBe(1);
    expect(await runJobs(provider, [job("left", "echo 2")], options)).toMatchObject([{ stored: true }]);
    expect(await settle(machines)).toEqual(before);
  });

  it("loses no result and no machine where the store cannot be reached for a while", async () => {
    const memory = memoryStore();
    const failures = new Map<string, number>();
    const store: Store = {
      ...memory,
      write: async (id, record) => {
        const count = failures.get(`${id} ${record.state}`) ?? 0;
        failures.set(`${id} ${record.state}`, count + 1);
        // Of the job: while it is begun, and while it is completed. Of a slot: as it is given back.
        const fails = record.kind === "run" ? count === 1 || (record.state === "completed" && count < 2) : count === 1;
        if (fails) throw unavailable();
        await memory.write(id, record);
      },
    };
    const machines = poolOf(memory, "restart", 1);
    const before = await settle(machines);
    const shaken = poolOf(store, "restart", 1);
    const run = () => runJobs(provider, [job("shaken", "echo here")], { store, clock, pool: shaken });
    expect(await run()).toMatchObject([
      { state: "done", repeated: false, stored: false, result: { stdout: "here\n" } },
    ]);
    expect(Math.max(...failures.values())).toBeGreaterThan(1);
    expect(await run()).toMatchObject([{ state: "done", repeated: false, stored: true }]);
    expect(await settle(machines)).toEqual(before);
  });

  it("cannot give back the machine of the process that has the job's lease by now", async () => {
    const memory = memoryStore();
    const machines = poolOf(memory, "lost", 2);
    await settle(machines);
    const lost = new AbortController();
    const store: Store = {
      ...memory,
      acquire: async (id) => {
        const lease = await memory.acquire(id);
        if (lease === null || !id.startsWith("run:")) return lease;
        return { ...lease, signal: lost.signal, held: () => !lost.signal.aborted };
      },
    };
    let other: string | undefined;
    const cut: LocalProvider = {
      ...provider,
      exec: (id, argv, options) =>
        provider.exec(id, argv, {
          ...options,
          onStdout: () => {
            void machines.claim("job/taken/token-of-the-other").then((slot) => {
              other = slot?.instanceId;
              lost.abort();
            });
          },
        }),
    };
    const [result] = await runJobs(cut, [job("taken", "echo up; exec sleep 300")], { store, clock, pool: machines });
    expect(result).toMatchObject({ state: "failed", error: { name: "StoreError", code: "NOT_HELD" } });
    const slots = await machines.slots();
    expect(slots.find(({ claim }) => claim === "job/taken/token-of-the-other")).toMatchObject({
      state: "claimed",
      instanceId: other,
    });
    expect(slots.filter(({ state }) => state === "ending").length).toBe(1);
  });

  it("refuses options of an instance, since the machines are there before", async () => {
    const store = memoryStore();
    const options = { store, pool: poolOf(store, "refused") };
    const one = { ...job("a", "true"), options: {} };
    await expect(runJobs(provider, [one], options)).rejects.toMatchObject({ code: "INVALID_SPEC" });
    const two = runJobs(provider, [job("a", "true")], { ...options, ttlMs: 1 });
    await expect(two).rejects.toMatchObject({ code: "INVALID_SPEC" });
  });

  it("runs what a killed process began once more, on another machine, and never beside it", async () => {
    const storeDirectory = join(directory, "killed-store");
    const program = fileURLToPath(new URL("children/run-pool-jobs.ts", import.meta.url));
    const args = ["--conditions=@slipway/source", "--no-warnings", program, directory, storeDirectory];
    const child = spawn(process.execPath, [...args, "killed", "echo up; exec sleep 300"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const store = fileStore(storeDirectory);
    const begun = async (): Promise<boolean> =>
      (await allEntries(store, { kind: "run" })).some(({ record }) => record.kind === "run" && record.steps.length > 0);
    while (!(await begun())) {
      if (child.exitCode !== null) throw new Error("it ended before it was killed");
      await clock.sleep(20);
    }
    child.kill("SIGKILL");
    await once(child, "exit");

    const machines = pool(provider, { name: "kill", max: 2, desired: 2, spawn: {} }, { store, clock });
    const claimed = (await machines.slots()).find(({ state }) => state === "claimed")?.instanceId ?? "none";
    const seen: string[] = [];
    const watched: LocalProvider = {
      ...provider,
      exec: async (id, argv, options) => {
        if (argv.includes("echo again")) seen.push((await provider.get(claimed))?.status ?? "gone");
        return await provider.exec(id, argv, options);
      },
    };
    const running = runJobs(watched, [job("killed", "echo again")], { store, clock, pool: machines });
    expect(await whileKept(machines, running)).toMatchObject([
      { state: "done", repeated: true, stored: false, result: { stdout: "again\n" } },
    ]);
    expect(seen).toEqual([expect.stringMatching(/^(terminated|gone)$/)]);
    await settle(machines);
    expect((await provider.list()).length).toBe(2);
    expect((await readdir(storeDirectory)).filter((name) => name.endsWith(".lease"))).toEqual([]);
  }, 60_000);
});
