import { allEntries, type Lease, launch, launchId, memoryStore, type Store } from "@slipway/control";
import { type ExecMethods, type ExecResult, ProviderError } from "@slipway/core";
import { type LambdaProvider, lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY, lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { describe, expect, test } from "vitest";
import { runJobs, withInstance } from "../src/index.ts";

const RECORD = launchId({ provider: "lambda", account: "", owner: "jobs", key: "work" });
const MACHINE = { spec: "gpu_1x_a10", sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDE me"] };
const OPTIONS = { ...MACHINE, key: "work" };

/** A remote on a simulated clock, and a store. */
function world() {
  const emulator = lambdaEmulator({ bootMs: 10_000, readLagMs: 2_000, limits: null });
  const { clock } = emulator;
  const provider = lambda({ apiKey: EMULATOR_API_KEY, owner: "jobs", runtime: { clock, fetch: emulator.fetch } });
  const live = (): readonly string[] =>
    emulator.control.instances().flatMap(({ nativeId, status }) => (status.startsWith("terminat") ? [] : [nativeId]));
  return { clock, provider, live, memory: memoryStore() };
}
type World = ReturnType<typeof world>;

const lost = new ProviderError("NETWORK", {
  message: "emulated",
  provider: "lambda",
  operation: "spawn",
  effect: "unknown",
});

/** What `withInstance` rejects with where its launch is cut off after it was sent; `meanwhile` runs once the lease is given back. */
async function cutOff({ provider, clock, memory }: World, meanwhile: () => Promise<void>): Promise<unknown> {
  const stop = new AbortController();
  let isOver = false;
  const store: Store = {
    ...memory,
    acquire: (id) => memory.acquire(id),
    release: async (lease) => {
      await memory.release(lease);
      if (isOver || lease.id !== RECORD) return;
      isOver = true;
      await meanwhile();
    },
  };
  const cut: LambdaProvider = {
    ...provider,
    spawn: async (options) => {
      await provider.spawn(options);
      stop.abort();
      throw lost;
    },
  };
  const control = { store, clock, signal: stop.signal, access: { identityFile: "/nowhere/key" } };
  return await withInstance(cut, OPTIONS, control, async () => undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("after a launch that was cut off", () => {
  test("what it made is ended, and its record forgotten", async () => {
    const here = world();
    expect(await cutOff(here, async () => undefined)).toBe(lost);
    expect(here.live()).toEqual([]);
    expect(await allEntries(here.memory)).toEqual([]);
  });

  test("nothing is ended under a key that another process works on by now, and the error says so", async () => {
    const here = world();
    const error = await cutOff(here, async () => void (await here.memory.acquire(RECORD)));
    expect(error).toMatchObject({ errors: [lost, { code: "BUSY", effect: "none" }] });
    expect(here.live()).toHaveLength(1);
    expect(await allEntries(here.memory)).toMatchObject([{ record: { state: "intended" } }]);
  });

  test("who holds the key for a moment only, as `apply` does, is waited for", async () => {
    const here = world();
    const error = await cutOff(here, async () => {
      const lease = await here.memory.acquire(RECORD);
      if (lease !== null) void here.clock.sleep(5_000).then(() => here.memory.release(lease));
    });
    expect(error).toBe(lost);
    expect(here.live()).toEqual([]);
    expect(await allEntries(here.memory)).toEqual([]);
  });

  test("what another process has launched, or adopted, under the key since then is left to it", async () => {
    const here = world();
    let others = "";
    const error = await cutOff(here, async () => {
      others = (await launch(here.provider, OPTIONS, { store: here.memory, clock: here.clock })).id;
    });
    expect(error).toBe(lost);
    expect(here.live()).toEqual([others]);
    expect(await allEntries(here.memory)).toMatchObject([{ record: { state: "launched", instanceId: others } }]);
  });

  test("what another process launches after the key's lease was lost on the way is left to it", async () => {
    const here = world();
    const ours = { ...here.memory };
    let others: string | null = null;
    const provider: LambdaProvider = {
      ...here.provider,
      list: async (filter) => {
        // As of a process that was stopped for longer than a lease lasts.
        if (lease !== null && others === null && here.live().length === 0) {
          await here.memory.release(lease);
          others = (await launch(here.provider, OPTIONS, { store: here.memory, clock: here.clock })).id;
        }
        return await here.provider.list(filter);
      },
    };
    let lease: Lease | null = null;
    const error = await cutOff({ ...here, provider, memory: ours }, async () => {
      const acquire = async (id: string): Promise<Lease | null> => {
        lease = await here.memory.acquire(id);
        return lease === null ? null : { ...lease, held: () => others === null };
      };
      Object.assign(ours, { acquire });
    });
    expect(here.live()).toEqual([others]);
    expect(error).toMatchObject({ errors: [lost, { code: "NOT_HELD" }] });
  });

  test("a store that cannot be asked ends nothing: who works on the key is not known", async () => {
    const here = world();
    const fails = { ...here.memory };
    const error = await cutOff({ ...here, memory: fails }, async () => {
      Object.assign(fails, { acquire: () => Promise.reject(new Error("the disk is gone")) });
    });
    expect(error).toMatchObject({ errors: [lost, { message: "the disk is gone" }] });
    expect(here.live()).toHaveLength(1);
  });
});

describe("a job whose lease was lost before its command began", () => {
  const result: ExecResult = { exitCode: 0, stdout: "done\n", stderr: "" };
  const job = { key: "j", argv: ["true"], options: MACHINE };

  test("leaves its instance to the process that runs the job by now", async () => {
    const { provider, clock, memory, live } = world();
    const lostLease = new AbortController();
    let held: Lease | null = null;
    const adopted = Promise.withResolvers<void>();
    let second: ReturnType<typeof runJobs> | undefined;
    const withExec = (more: Partial<LambdaProvider>): LambdaProvider & ExecMethods => ({
      ...provider,
      exec: async (id) => {
        if (!live().includes(id)) throw new Error(`${id} has ended under the job`);
        return result;
      },
      ...more,
    });
    const other = withExec({
      get: async (id, call) => {
        adopted.resolve();
        return await provider.get(id, call);
      },
    });
    const store: Store = {
      ...memory,
      acquire: async (id) => {
        const lease = await memory.acquire(id);
        if (lease === null || !id.startsWith("run:") || held !== null) return lease;
        held = lease;
        return { ...lease, signal: lostLease.signal, held: () => !lostLease.signal.aborted };
      },
    };
    const paused = withExec({
      get: async (id, call) => {
        if (second === undefined && held !== null) {
          await memory.release(held);
          second = runJobs(other, [job], { store: memory, clock });
          await adopted.promise;
          lostLease.abort();
        }
        return await provider.get(id, call);
      },
    });
    const first = await runJobs(paused, [job], { store, clock });
    expect(first).toMatchObject([{ state: "failed", error: { code: "NOT_HELD" } }]);
    expect(await second).toMatchObject([{ state: "done", repeated: false, result }]);
    expect(live()).toEqual([]);
  });
});
