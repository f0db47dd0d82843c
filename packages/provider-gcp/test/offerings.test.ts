import { expect, test } from "vitest";
import { gcpWorld } from "./world.ts";

const ZONES = ["us-central1-a", "us-central1-b", "europe-west1-b"];

test("offerings have Google's own prices, and none where its price list is not understood", async () => {
  const { provider, sent } = gcpWorld({ pageSize: 5 }, { zones: ZONES });
  const all = await provider.listOfferings();
  const of = (spec: string, region: string) => all.filter((one) => one.spec === spec && one.regions.includes(region));
  const [standard] = of("e2-standard-4", "us-central1");
  expect(standard).toMatchObject({ resources: { cpus: 4, memoryBytes: 16 * 1024 ** 3 }, price: { source: "live" } });
  expect(standard?.price?.usdPerHour).toBeCloseTo(4 * 0.0218 + 16 * 0.0029, 6);
  // Another region has no such product, a shared core is a part of one, and accelerators cost more.
  for (const [spec, region] of [
    ["e2-standard-4", "europe-west1"],
    ["e2-medium", "us-central1"],
    ["g2-standard-4", "us-central1"],
    ["c3-standard-4", "us-central1"],
  ] as const) {
    expect(of(spec, region)).toHaveLength(1);
    expect(of(spec, region)[0]).not.toHaveProperty("price");
  }
  expect(of("g2-standard-4", "us-central1")[0]?.resources?.gpus).toEqual({ type: "nvidia-l4", count: 1 });
  const prices = all.map(({ price }) => price?.usdPerHour ?? Number.POSITIVE_INFINITY);
  expect(prices).toEqual(prices.toSorted((a, b) => (a === b ? 0 : a - b)));
  const skus = () => sent.filter(({ path }) => path.endsWith("/skus")).length;
  const before = skus();
  await provider.listOfferings();
  expect(skus()).toBe(before);
  expect(sent.find(({ path }) => path.endsWith("/skus"))?.headers.has("x-goog-api-version")).toBe(false);
});

test.each([
  ["two prices of one name", "E2 Instance Core running in Iowa", { units: "1" }],
  ["another currency", "E2 Instance Ram running in Iowa", { currencyCode: "EUR" }],
  ["another unit", "E2 Instance Ram running in Iowa", { usageUnit: "GiBy.mo" }],
])(
  "a price list with %s gives no price",
  async (_, description, { usageUnit = "h", ...unit }: Record<string, string>) => {
    const { emulator, another } = gcpWorld();
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const response = await emulator.fetch(input, init);
      if (!String(input).includes("/skus")) return response;
      const { skus } = (await response.json()) as { skus: object[] };
      const unitPrice = { currencyCode: "USD", units: "0", nanos: 7, ...unit };
      const pricingInfo = [{ pricingExpression: { usageUnit, tieredRates: [{ startUsageAmount: 0, unitPrice }] } }];
      const odd = { description, category: { usageType: "OnDemand" }, serviceRegions: ["us-central1"], pricingInfo };
      return Response.json({ skus: [...skus, odd] });
    };
    const all = await another({ runtime: { clock: emulator.clock, fetch } }).listOfferings();
    const found = all.filter(({ spec, regions }) => spec === "e2-standard-4" && regions.includes("us-central1"));
    expect(found).toHaveLength(1);
    expect(found[0]).not.toHaveProperty("price");
  },
);
