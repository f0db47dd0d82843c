import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  apply,
  compose,
  fileStore,
  type Journal,
  launch,
  launchId,
  memoryStore,
  planFrom,
  reconcile,
  runWorkflow,
  terminateAndConfirm,
  waitForStatus,
} from "@slipway/control";
import { type Instance, layer, type Provider, type Workflow } from "@slipway/core";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { matcherOf } from "@slipway/provider-kit/filters";
import { lambda } from "@slipway/provider-lambda";
import { lambdaEmulator } from "@slipway/provider-lambda/emulator";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { ec2Works } from "./ec2-crowd.ts";
import { meterFlushes } from "./flush-meter.ts";
import { growthOf, inMilliseconds, type Work } from "./growth.ts";
import { atMost, type Suite } from "./report.ts";

const BOOT_MS = 180_000;
const LAG_MS = 5_000;

/** A remote with so many instances that boot for three minutes, and the calls that it gets. */
async function crowd(many: number) {
  const clock = simulatedClock();
  const world = memoryWorld({ clock, bootMs: BOOT_MS, readAfterWriteMs: LAG_MS });
  const calls = new Map<string, number>();
  const counting = layer((call, next) => {
    calls.set(call.operation, (calls.get(call.operation) ?? 0) + 1);
    return next();
  });
  const provider = compose<Provider>(memory({ owner: "bench", world, runtime: { clock } }), counting);
  const ids: string[] = [];
  for (let at = 0; at < many; at += 1) ids.push((await provider.spawn({ key: `k-${at}` })).id);
  calls.clear();
  const reads = (): number => (calls.get("get") ?? 0) + (calls.get("list") ?? 0);
  // Each a provider object of its own: they share nothing.
  const alone = (): Provider =>
    compose(
      provider,
      layer((_call, next) => next()),
    );
  return { clock, provider, ids, calls, reads, alone };
}

const waits: Work = {
  name: "waits of three minutes",
  unit: "reads",
  size: 1_000,
  run: async (many) => {
    const { clock, provider, ids, reads } = await crowd(many);
    await Promise.all(ids.map((id) => waitForStatus(provider, id, "running", { clock })));
    return reads();
  },
  bare: {
    name: "each for itself",
    run: async (many) => {
      const { clock, alone, ids, reads } = await crowd(many);
      await Promise.all(ids.map((id) => waitForStatus(alone(), id, "running", { clock })));
      return reads();
    },
  },
  most: 2_200,
};

const ends: Work = {
  name: "confirmed ends",
  unit: "reads beside the terminates",
  size: 1_000,
  run: async (many) => {
    const { clock, provider, ids, reads } = await crowd(many);
    await Promise.all(ids.map((id) => terminateAndConfirm(provider, id, { clock })));
    return reads();
  },
  bare: {
    name: "each for itself",
    run: async (many) => {
      const { clock, alone, ids, reads } = await crowd(many);
      await Promise.all(ids.map((id) => terminateAndConfirm(alone(), id, { clock })));
      return reads();
    },
  },
  most: 400,
};

const applied: Work = {
  name: "apply of orphans",
  unit: "calls",
  size: 1_000,
  run: async (many) => {
    const { clock, provider, ids, calls } = await crowd(many);
    const options = { store: memoryStore(), clock };
    // Until then a listing need not show them.
    await clock.sleep(2 * LAG_MS);
    const plan = await reconcile(provider, options);
    await apply(provider, plan, options);
    if (plan.items.length !== ids.length) throw new Error("not all are in the plan");
    return [...calls.values()].reduce((sum, each) => sum + each, 0);
  },
  most: 2_010,
};

const instanceOf = (at: number): Instance => ({
  ...{ id: `m-${at}`, nativeId: `m-${at}`, status: "running", provider: "bench", owner: "bench", key: "one" },
  ...{ addresses: {}, isSpot: false, labels: {}, createdAt: new Date(at).toISOString() },
});
const planned = inMilliseconds("plan over instances of one key", 30_000, async (many) => {
  const instances = Array.from({ length: many }, (_value, at) => instanceOf(at));
  const about = { provider: "bench", owner: "bench", account: "", entries: [], earlier: [] };
  planFrom({ ...about, instances, listedAt: 0, now: 0 });
});
const filtered = inMilliseconds("filter by as many ids as instances", 30_000, async (many) => {
  const instances = Array.from({ length: many }, (_value, at) => instanceOf(at));
  instances.filter(matcherOf({ ids: instances.map(({ id }) => id).reverse() }));
});

const anything = { "~standard": { version: 1 as const, vendor: "bench", validate: (value: unknown) => ({ value }) } };
const chain: Workflow<unknown, unknown> = {
  type: "chain",
  version: 1,
  input: anything,
  output: anything,
  run: async ({ step }, many) => {
    for (let at = 0; at < Number(many); at += 1) await step(`step ${at}`, async () => ({ at, text: "x".repeat(100) }));
    return null;
  },
};

/** What a run writes as JSON. */
async function bytesOfRun(many: number, isWhole: boolean): Promise<number> {
  let bytes = 0;
  const store = memoryStore();
  const counted = (value: unknown): void => void (bytes += JSON.stringify(value).length);
  const journal: Journal = {
    ...store,
    write: async (id, record) => {
      counted(record);
      await store.write(id, record);
    },
    appendStep: isWhole
      ? undefined
      : async (id, step) => {
          counted(step);
          await store.appendStep?.(id, step);
        },
  };
  await runWorkflow(chain, many, { journal, runId: "r" });
  return bytes;
}
const steps: Work = {
  name: "steps of one run",
  unit: "bytes",
  size: 3_000,
  run: (many) => bytesOfRun(many, false),
  bare: { name: "the whole record each time", run: (many) => bytesOfRun(many, true) },
  most: 3_000 * 800,
};

/** So many calls at once about single instances of Lambda, in requests. */
function lambdaWork(name: string, most: number, work: (provider: Provider, id: string) => Promise<unknown>): Work {
  return {
    name,
    unit: "requests",
    size: 100,
    most,
    run: async (many) => {
      const apiKey = "secret_bench_0123456789";
      const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBench";
      const emulator = lambdaEmulator({ apiKeys: [apiKey], limits: null, sshKeys: [{ name: "bench", publicKey }] });
      const { clock, fetch } = emulator;
      const provider = lambda({
        ...{ apiKey, owner: "bench", sshKeyName: "bench", requestsPerSecond: 1_000, secondsPerLaunch: 0.001 },
        runtime: { clock, fetch },
      });
      const ids: string[] = [];
      for (let at = 0; at < many; at += 1) ids.push((await provider.spawn({ spec: "gpu_1x_a10" })).id);
      await clock.sleep(60_000);
      const before = emulator.control.requests.length;
      await Promise.all(ids.map((id) => work(provider, id)));
      return emulator.control.requests.length - before;
    },
  };
}

/** Everything whose cost may grow faster than the work. */
export const crowdWorks: readonly Work[] = [
  waits,
  ends,
  applied,
  planned,
  filtered,
  steps,
  lambdaWork("Lambda: reads at once", 1, (provider, id) => provider.get(id)),
  // One listing, and 50 ids in a request.
  lambdaWork("Lambda: ends at once", 3, (provider, id) => provider.terminate(id)),
  ...ec2Works,
];

export async function crowds(quick: boolean): Promise<readonly Suite[]> {
  return [await growthOf("growth: x1, x10, x100", crowdWorks, quick), await onFiles(quick)];
}

/** Launches and listings of a store of files. */
async function onFiles(quick: boolean): Promise<Suite> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-store-"));
  const meter = await meterFlushes(directory);
  try {
    const store = fileStore(join(directory, "launches"));
    const provider = memory({ owner: "bench" });
    await launch(provider, { key: "first" }, { store });
    meter.take();
    await launch(provider, { key: "a" }, { store });
    const fresh = meter.take().count;
    await launch(provider, { key: "a" }, { store });
    const known = meter.take().count;
    const records = join(directory, "many");
    const entries = inMilliseconds("entries of a store", 100_000, async (many) => {
      let count = 0;
      for await (const _entry of fileStore(join(records, String(many))).entries()) count += 1;
      if (count !== many) throw new Error(`${count} of ${many} were found`);
    });
    for (const many of quick ? [100, 1_000, 10_000] : [1_000, 10_000, 100_000])
      await fill(join(records, String(many)), many);
    const suite = await growthOf("a store of files", [entries], quick);
    const counts = [
      { ...atMost("launch of a fresh key, flushes", fresh, 4), isCount: true },
      { ...atMost("launch of a known key, flushes", known, 0), isCount: true },
    ];
    return { ...suite, aims: [...suite.aims, ...counts] };
  } finally {
    meter.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** As a store that has been used for years, without the years. */
async function fill(directory: string, many: number): Promise<void> {
  const { createHash } = process.getBuiltinModule("node:crypto");
  await mkdir(directory, { recursive: true });
  for (let at = 0; at < many; at += 1) {
    const identity = { provider: "bench", account: "", owner: "bench", key: `k-${at}` };
    const id = launchId(identity);
    const record = {
      ...{ kind: "launch", identity, state: "launched", specHash: "x", attempt: 1, at: "2026-01-01T00:00:00Z" },
      ...{ placement: 0, instanceId: `m-${at}`, expected: {}, gone: [] },
    };
    const name = createHash("sha256").update(id).digest("hex").slice(0, 40);
    await writeFile(join(directory, `${name}.json`), JSON.stringify({ format: 1, id, record }, null, 2));
  }
}
