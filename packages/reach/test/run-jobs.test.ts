import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allEntries, launch, memoryStore, type Store, StoreError } from "@slipway/control";
import { ProviderError } from "@slipway/core";
import { type LocalProvider, local } from "@slipway/provider-local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type JobResult, type JobSpec, runJobs, withInstance } from "../src/index.ts";

let directory: string;
let provider: LocalProvider;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-jobs-"));
  provider = local({ owner: "jobs", stateDirectory: directory });
});
afterEach(async () => {
  const left = await provider.list();
  if (left.length > 0) throw new Error(`${left.length} instances are left`);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const job = (key: string, script: string): JobSpec<LocalProvider> => ({ key, argv: ["/bin/sh", "-c", script] });
const network = (effect: "none" | "unknown"): ProviderError =>
  new ProviderError("NETWORK", { message: "emulated", provider: "local", operation: "spawn", effect, retryAfterMs: 1 });

describe("withInstance", () => {
  it("gives the body's value, and the instance is gone", async () => {
    const options = { key: "value", bootstrap: { script: "echo made >/made" } };
    const store = memoryStore();
    const value = await withInstance(provider, options, { store }, async (session, instance) => {
      expect(await provider.get(instance.id)).toMatchObject({ status: "running" });
      return (await session.exec(["cat", "/made"])).stdout;
    });
    expect(value).toBe("made\n");
    expect(await allEntries(store), "its launch is remembered, and would be missing").toEqual([]);
  });

  it("rejects with what the body threw, and the instance is gone", async () => {
    const fault = new Error("of the body");
    const work = withInstance(provider, { key: "throws" }, { store: memoryStore() }, () => Promise.reject(fault));
    await expect(work).rejects.toBe(fault);
  });

  it("rejects with the bootstrap's exit code and last lines", async () => {
    const options = { key: "bad-bootstrap", bootstrap: { script: "echo the reason; exit 7" } };
    const work = withInstance(provider, options, { store: memoryStore() }, async () => undefined);
    await expect(work).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringMatching(/7[^]*the reason/),
    });
  });

  /** Launches with a bootstrap that holds a secret; the launch is cut off after it was sent. */
  async function cutOff(key: string, store: Store): Promise<void> {
    const stop = new AbortController();
    const cut: LocalProvider = {
      ...provider,
      spawn: async (options) => {
        await provider.spawn(options);
        stop.abort();
        throw network("unknown");
      },
    };
    const options = { key, bootstrap: { script: "true", environment: { TOKEN: "secret" } } };
    const work = withInstance(cut, options, { store, signal: stop.signal }, async () => undefined);
    await expect(work).rejects.toMatchObject({ effect: "unknown" });
    expect(await provider.list({ keys: [key] })).toEqual([]);
  }

  it("leaves no instance where the launch was cut off after it was sent, and no record with its secrets", async () => {
    const store = memoryStore();
    const written: string[] = [];
    const seen: Store = {
      ...store,
      write: (id, record) => {
        written.push(JSON.stringify(record));
        return store.write(id, record);
      },
    };
    await cutOff("cut-launch", seen);
    expect(written.join("\n")).toContain(Buffer.from("secret").toString("base64"));
    expect(await allEntries(store)).toEqual([]);
    // Its lease is free again.
    await withInstance(provider, { key: "cut-launch" }, { store }, async () => undefined);
  });

  it("leaves alone what another process launched under the key after this one's lease was lost", async () => {
    const memory = memoryStore();
    let isFirst = true;
    let other = "";
    // This process is paused before it writes its intent; meanwhile another one launches the key.
    const store: Store = {
      ...memory,
      exclusion: "expiring",
      write: async (id, record) => {
        if (isFirst && record.kind === "launch" && record.state === "intended") {
          isFirst = false;
          other = (await launch(provider, { key: "others" }, { store: memoryStore() })).id;
          throw new StoreError("NOT_HELD", { message: "the lease was lost", hint: "Launch again." });
        }
        await memory.write(id, record);
      },
    };
    const work = withInstance(provider, { key: "others" }, { store }, async () => undefined);
    await expect(work).rejects.toMatchObject({ code: "NOT_HELD" });
    expect((await provider.list({ keys: ["others"] })).map(({ id }) => id)).toEqual([other]);
    await provider.terminate(other);
  });

  it("says so where the instance could not be confirmed gone", async () => {
    const fault = new Error("of the body");
    const immortal: LocalProvider = { ...provider, terminate: () => Promise.reject(new Error("no")) };
    const work = withInstance(immortal, { key: "immortal" }, { store: memoryStore() }, () => Promise.reject(fault));
    await expect(work).rejects.toMatchObject({ errors: [fault, { message: "no" }] });
    for (const { id } of await provider.list()) await provider.terminate(id);
  });
});

describe("runJobs", () => {
  it("runs 20 jobs, 5 at a time, each with its own output and exit code", async () => {
    const jobs = Array.from({ length: 20 }, (_, at) => job(`n${at}`, `echo out ${at}; exit ${at % 4}`));
    let running = 0;
    let most = 0;
    const counted: LocalProvider = {
      ...provider,
      spawn: async (options) => {
        most = Math.max(most, ++running);
        return await provider.spawn(options);
      },
    };
    const results = await runJobs(counted, jobs, {
      store: memoryStore(),
      concurrency: 5,
      onResult: () => {
        running -= 1;
      },
    });
    const expected = jobs.map(({ key }, at) => ({
      key,
      state: "done",
      repeated: false,
      stored: false,
      result: { exitCode: at % 4, stdout: `out ${at}\n` },
    }));
    expect(results).toMatchObject(expected);
    expect(most).toBe(5);
  });

  it("does not run again what has a stored result", async () => {
    const store = memoryStore();
    const once = job("once", "cat /proc/sys/kernel/random/uuid");
    const [first] = await runJobs(provider, [once], { store });
    const [second] = await runJobs(provider, [once], { store });
    expect(second).toEqual({ ...first, stored: true });
  });

  it("ends the instance of a call that was killed after it had stored the result", async () => {
    const store = memoryStore();
    const left = job("left", "echo left");
    const [first] = await runJobs(provider, [left], { store });
    await launch(provider, { key: "job-left" }, { store });
    expect(await runJobs(provider, [left], { store })).toEqual([{ ...first, stored: true }]);
    expect(await provider.list()).toEqual([]);
    const kinds = (await allEntries(store)).map(({ record }) => record.kind);
    expect(kinds, "its launch is remembered, and would be missing").toEqual(["run"]);
  });

  it("runs what was begun once more, after it ended the earlier instance, and then never again", async () => {
    const store = failingStore(Number.POSITIVE_INFINITY);
    const again = job("again", "exit 5");
    const results: JobResult[] = [];
    for (let call = 0; call < 3; call += 1) results.push(...(await runJobs(provider, [again], { store })));
    const lost = { message: "disk full" };
    expect(results).toMatchObject([
      { state: "done", repeated: false, result: { exitCode: 5 }, storeError: lost },
      { state: "done", repeated: true, result: { exitCode: 5 }, storeError: lost },
      { state: "failed", repeated: true, error: { code: "CONFLICT", message: expect.stringContaining("twice") } },
    ]);
  });

  it("tries again what is retryable and did not begin, and counts it as no beginning", async () => {
    let spawns = 0;
    const busy: LocalProvider = {
      ...provider,
      spawn: async (options) => {
        spawns += 1;
        if (spawns < 3) throw network("none");
        return await provider.spawn(options);
      },
    };
    const [result] = await runJobs(busy, [job("busy", "exit 3")], { store: memoryStore() });
    expect(result).toMatchObject({ state: "done", repeated: false, result: { exitCode: 3 } });
    expect(spawns).toBe(3);
  });

  it("does not repeat a command whose end nobody saw in the same call", async () => {
    let execs = 0;
    const cut: LocalProvider = {
      ...provider,
      exec: () => {
        execs += 1;
        return Promise.reject(network("unknown"));
      },
    };
    const store = memoryStore();
    const [cutOff] = await runJobs(cut, [job("cut", "exit 0")], { store });
    expect(cutOff).toMatchObject({ state: "failed", repeated: false, error: { code: "NETWORK" } });
    expect(execs).toBe(1);
    const [result] = await runJobs(provider, [job("cut", "exit 0")], { store });
    expect(result).toMatchObject({ state: "done", repeated: true });
  });

  it("stops a job whose lease is lost, and stores nothing for it", async () => {
    const memory = memoryStore();
    const lost = new AbortController();
    const store: Store = {
      ...memory,
      acquire: async (id) => {
        const lease = await memory.acquire(id);
        if (lease === null || !id.startsWith("run:") || lost.signal.aborted) return lease;
        lost.signal.addEventListener("abort", () => void memory.release(lease));
        return { ...lease, signal: lost.signal, held: () => !lost.signal.aborted };
      },
    };
    const cut: LocalProvider = {
      ...provider,
      exec: (id, argv, options) => provider.exec(id, argv, { ...options, onStdout: () => lost.abort() }),
    };
    const [result] = await runJobs(cut, [job("lost", "echo up; exec sleep 300")], { store });
    expect(result).toMatchObject({ state: "failed", error: { name: "StoreError", code: "NOT_HELD" } });
    const entries = await allEntries(memory, { kind: "run" });
    expect(entries).toMatchObject([{ record: { state: "running", steps: [{ state: "started" }] } }]);
  });

  it("begins nothing more after an abort", async () => {
    const stop = new AbortController();
    const jobs = Array.from({ length: 3 }, (_, at) => job(`stop${at}`, "echo up; exec sleep 300"));
    const running = runJobs(
      {
        ...provider,
        exec: (id, argv, options) => provider.exec(id, argv, { ...options, onStdout: () => stop.abort() }),
      },
      jobs,
      { store: memoryStore(), concurrency: 1, signal: stop.signal },
    );
    const cancelled = { state: "failed", error: { code: "CANCELLED" } };
    expect(await running).toMatchObject([cancelled, cancelled, cancelled]);
  });
});

/** A store that cannot write a result, so often. */
function failingStore(times: number): Store {
  const store = memoryStore();
  let left = times;
  return {
    ...store,
    write: async (id, record) => {
      if (record.kind === "run" && record.state === "completed" && left-- > 0) throw new Error("disk full");
      await store.write(id, record);
    },
  };
}
