import { expect, test } from "vitest";
import { gcpWorld } from "./world.ts";

const PER_REGION = 334;
const REGIONS = ["us-central1", "us-east1", "europe-west1"] as const;

/**
 * Plain google-cloud-compute: one page of `aggregated_list` for each 500; `aggregated_list` again at each look until all
 * run; one `delete` for each instance, and one `wait` for its operation.
 */
test("1 002 instances over 3 regions: listing, waiting for all and ending all take no more requests than the plain client", async () => {
  const world = gcpWorld({ latencyMs: 0, listLagMs: 0 });
  const { emulator } = world;
  const zones = REGIONS.map((region) => `${region}-b`);
  const options = { zones, requestsPerMinute: 1_000_000 };
  // While they are made nobody looks at what there is: each lookup would go through all of them.
  const blind: typeof globalThis.fetch = async (input, init) =>
    String(input).includes("/aggregated/") ? Response.json({ items: {} }) : await emulator.fetch(input, init);
  const maker = world.another({ ...options, runtime: { clock: emulator.clock, fetch: blind } });
  const provider = world.another(options);
  const { requests } = emulator.control;
  const keys = REGIONS.flatMap((region) =>
    Array.from({ length: PER_REGION }, (_, i) => ({ region, key: `${region}-${i}` })),
  );
  await Promise.all(keys.map((one) => maker.spawn(one)));
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    const before = requests.length;
    await work();
    return requests.length - before;
  };
  const pages = Math.ceil(keys.length / 500);
  expect(await count(() => provider.list())).toBe(pages);
  const waited = await count(async () => {
    const all = await provider.list();
    expect(all.every(({ status }) => status === "running")).toBe(true);
  });
  expect(waited).toBe(pages);
  const all = await provider.list();
  const ended = await count(() => Promise.all(all.map(({ id }) => provider.terminate(id))));
  process.stdout.write(`list ${pages}, wait ${waited}, terminate ${ended} for ${all.length} instances\n`);
  expect(ended).toBeLessThanOrEqual(2 * all.length);
}, 120_000);
