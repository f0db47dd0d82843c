import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  detectIsolation,
  endSandbox,
  type IsolationReport,
  startSandbox,
  tryFileLock,
} from "@slipway/provider-kit/sandbox";
import { type LocalProvider, local } from "@slipway/provider-local";
import { bareSandbox } from "./bare-sandbox.ts";
import { type FlushMeter, meterFlushes } from "./flush-meter.ts";
import { type Contender, interleaved, median, timed } from "./measure.ts";
import { atMost, medianOf, type Row, rowsOf, type Suite } from "./report.ts";

const AIM_MS = 40;
const BARE = "bare sandbox";
const SPAWN = "spawn to running";
const SUPERVISED = "sandbox with its supervisor";
const LOCK = "lock, taken and released";

/** What of a spawn can be seen from outside while it runs. */
interface Phases {
  readonly flushes: number[];
  readonly counts: number[];
  readonly firstStatus: number[];
}

/** A local instance from the call to `running`, beside the sandbox that it is made of. */
export async function localSpawn(quick: boolean): Promise<Suite> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  const meter = await meterFlushes(directory);
  try {
    const isolation = await detectIsolation();
    const provider = local({ owner: "bench", stateDirectory: join(directory, "state") });
    const phases: Phases = { flushes: [], counts: [], firstStatus: [] };
    const samples = await interleaved(
      [
        { name: BARE, sample: () => bareSandbox(isolation) },
        supervised(directory, isolation),
        spawnToRunning(provider, meter, phases),
        { name: LOCK, sample: () => takeLock(directory) },
      ],
      quick ? 5 : 41,
    );
    return suiteOf(rowsOf(samples, BARE), phases, isolation);
  } finally {
    meter.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function spawnToRunning(provider: LocalProvider, meter: FlushMeter, phases: Phases): Contender {
  return {
    name: SPAWN,
    sample: async () => {
      meter.take();
      const begun = performance.now();
      const { id } = await provider.spawn({});
      const spawned = performance.now();
      while ((await provider.get(id))?.status !== "running") {
        if (performance.now() - spawned > 30_000) throw new Error(`${id} does not come up`);
      }
      const running = performance.now();
      const { ms, count } = meter.take();
      phases.flushes.push(ms);
      phases.counts.push(count);
      phases.firstStatus.push(running - spawned);
      await provider.terminate(id);
      return running - begun;
    },
  };
}

/** provider-kit's sandbox alone: own root, log and status, a first step that answers, and a tree that outlives its maker. */
function supervised(directory: string, isolation: IsolationReport): Contender {
  return {
    name: SUPERVISED,
    sample: async () => {
      const place = await mkdtemp(join(directory, "sandbox-"));
      const id = place.slice(place.lastIndexOf("/") + 1);
      const argv = ["/bin/sh", "-c", "read -r _ </dev/null; exec sleep 600"];
      const spec = { id, directory: place, isolation, argv };
      const begun = performance.now();
      const sandbox = await startSandbox(spec);
      const taken = performance.now() - begun;
      await endSandbox(sandbox);
      await rm(place, { recursive: true, force: true });
      return taken;
    },
  };
}

const takeLock = (directory: string): Promise<number> =>
  timed(async () => {
    const lock = await tryFileLock(join(directory, "lock"));
    await lock?.release();
  });

/**
 * The split. Where provider-local gives timings of its own one day, they take the place of these: the lock and the
 * supervisor are measured beside the spawn, the flushes and the first status in it, the rest is what is left.
 */
function suiteOf(rows: readonly Row[], phases: Phases, isolation: IsolationReport): Suite {
  const over = medianOf(rows, SPAWN) - medianOf(rows, BARE);
  const parts: readonly Row[] = [
    { name: "  of that: lock", median: medianOf(rows, LOCK) },
    { name: "  of that: durable writes, waiting for the disk", median: median(phases.flushes) },
    { name: "  of that: supervisor", median: medianOf(rows, SUPERVISED) - medianOf(rows, BARE) },
    { name: "  of that: first status", median: median(phases.firstStatus) },
  ];
  const rest = over - parts.reduce((sum, part) => sum + part.median, 0);
  return {
    title: `local spawn, isolation ${isolation.isolation}`,
    unit: "ms",
    rows: [
      ...rows.filter(({ name }) => name !== LOCK),
      { name: "spawn over the bare sandbox", median: over },
      ...parts,
      { name: "  of that: the rest", median: rest },
    ],
    aims: [atMost("spawn to running over the bare sandbox", over, AIM_MS)],
    notes: [
      `${median(phases.counts)} flushes to disk in each spawn${isolation.reason === null ? "" : `; ${isolation.reason}`}`,
    ],
  };
}
