import { defineProvider, type Instance, type Provider, projectProvider } from "@slipway/core";
import { memory } from "@slipway/provider-memory";
import { type Contender, interleaved } from "./measure.ts";
import { atMost, medianOf, rowsOf, type Suite } from "./report.ts";

const AIM_NS = 2000;

const INSTANCE: Instance = {
  id: "i-1",
  status: "running",
  provider: "bench",
  nativeId: "n-1",
  key: "k",
  owner: "bench",
  addresses: { privateIpv4: "10.0.0.1" },
  isSpot: false,
  labels: { project: "bench" },
  createdAt: "2026-01-31T12:00:00.000Z",
};
const OPTIONS = { key: "job-1", name: "worker", labels: { project: "bench" } };

const spawn = async (_options: object): Promise<Instance> => INSTANCE;
const get = async (_id: string): Promise<Instance | null> => INSTANCE;

function define(onEvent?: () => void): Provider {
  return defineProvider<Provider>(
    {
      name: "bench",
      owner: "bench",
      tier: "testing",
      capabilities: {},
      limits: { maxUserDataBytes: 1024, maxLabels: 8, nameMaxLength: 63, readAfterWriteMs: 0, requestLifeMs: 0 },
      spawn,
      get,
      terminate: async () => undefined,
      list: async () => [INSTANCE],
      generateBootstrap: () => ({ content: "", format: "shell", checksum: "", byteLength: 0 }),
    },
    onEvent === undefined ? {} : { runtime: { onEvent } },
  );
}

/** What the contract puts around one call of a provider that does nothing itself. */
export async function contractCall(quick: boolean): Promise<readonly Suite[]> {
  const calls = quick ? 2000 : 20_000;
  const rounds = quick ? 5 : 31;
  const contender = (name: string, call: () => Promise<unknown>): Contender => ({
    name,
    sample: async () => {
      const begun = performance.now();
      for (let index = 0; index < calls; index++) await call();
      return ((performance.now() - begun) * 1e6) / calls;
    },
  });
  const defined = define();
  const listened = define(() => undefined);
  const projected = projectProvider(defined);

  const suite = async (title: string, contenders: readonly Contender[]): Promise<Suite> => {
    const rows = rowsOf(await interleaved(contenders, rounds), "bare function");
    const bare = medianOf(rows, "bare function");
    const aims = ["defineProvider", "defineProvider, projected"].map((name) =>
      atMost(`${name} over the bare function`, medianOf(rows, name) - bare, AIM_NS),
    );
    return { title, unit: "ns", rows, aims, notes: [] };
  };
  return [
    await suite("contract call: get", [
      contender("bare function", () => get("i-1")),
      contender("defineProvider", () => defined.get("i-1")),
      contender("defineProvider, with a listener", () => listened.get("i-1")),
      contender("defineProvider, projected", () => projected.get("i-1")),
    ]),
    await suite("contract call: spawn", [
      contender("bare function", () => spawn(OPTIONS)),
      contender("defineProvider", () => defined.spawn(OPTIONS)),
      contender("defineProvider, with a listener", () => listened.spawn(OPTIONS)),
      contender("defineProvider, projected", () => projected.spawn(OPTIONS)),
    ]),
    await listOfMany(quick),
  ];
}

/** Projection copies every instance: what that is beside a whole, if simulated, list. */
async function listOfMany(quick: boolean): Promise<Suite> {
  const count = 100;
  const exact = memory({ owner: "bench" });
  await Promise.all(Array.from({ length: count }, (_, index) => exact.spawn({ key: `k${index}` })));
  const projected = projectProvider(exact);
  const contender = (name: string, provider: Pick<Provider, "list">): Contender => ({
    name,
    sample: async () => {
      const begun = performance.now();
      const found = await provider.list();
      if (found.length !== count) throw new Error(`expected ${count} instances, got ${found.length}`);
      return performance.now() - begun;
    },
  });
  const samples = await interleaved(
    [contender("provider-memory, exact", exact), contender("provider-memory, projected", projected)],
    quick ? 10 : 200,
  );
  return {
    title: `list of ${count} instances`,
    unit: "ms",
    rows: rowsOf(samples, "provider-memory, exact"),
    aims: [],
    notes: [],
  };
}
