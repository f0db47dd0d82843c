import { expect } from "vitest";
import type { GcpEmulator } from "../emulator/index.ts";
import type { GcpProvider } from "../src/index.ts";
import { gcpWorld } from "./world.ts";

const PER_REGION = 334;
const REGIONS = ["us-central1", "us-east1", "europe-west1"] as const;

export interface Counts {
  readonly list: number;
  readonly wait: number;
  readonly terminate: number;
}

/** An emulator in which 1 002 instances run, in three regions. */
export async function thousandInstances(): Promise<{ readonly emulator: GcpEmulator; readonly provider: GcpProvider }> {
  const world = gcpWorld({ latencyMs: 0, listLagMs: 0 });
  const { emulator } = world;
  const options = { zones: REGIONS.map((region) => `${region}-b`), requestsPerMinute: 1_000_000 };
  // While they are made nobody looks at what there is: each lookup would go through all of them.
  const blind: typeof globalThis.fetch = async (input, init) =>
    String(input).includes("/aggregated/") ? Response.json({ items: {} }) : await emulator.fetch(input, init);
  const maker = world.another({ ...options, runtime: { clock: emulator.clock, fetch: blind } });
  const keys = REGIONS.flatMap((region) =>
    Array.from({ length: PER_REGION }, (_, i) => ({ region, key: `${region}-${i}` })),
  );
  await Promise.all(keys.map((one) => maker.spawn(one)));
  return { emulator, provider: world.another(options) };
}

/** What the provider sends to list them all, to see that all run, and to terminate them all. */
export async function countsOfProvider(): Promise<Counts> {
  const { emulator, provider } = await thousandInstances();
  const { requests } = emulator.control;
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = requests.length;
    await work();
    return requests.length - before;
  };
  const list = await count(() => provider.list());
  const wait = await count(async () => {
    const all = await provider.list();
    expect(all.every(({ status }) => status === "running")).toBe(true);
  });
  const all = await provider.list();
  expect(all).toHaveLength(3 * PER_REGION);
  const terminate = await count(() => Promise.all(all.map(({ id }) => provider.terminate(id))));
  return { list, wait, terminate };
}
