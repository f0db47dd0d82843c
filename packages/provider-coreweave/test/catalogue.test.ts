import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { CATALOGUE, coreweave } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("offerings are the catalogue, cheapest first, and unknown prices are absent", async () => {
  const offerings = await coreweave({ owner: "o" }).listOfferings();
  expect(offerings.map(({ spec }) => spec).toSorted()).toEqual(Object.keys(CATALOGUE.types).toSorted());
  expect(offerings[0]).toMatchObject({ spec: "cd-gp-i96-icelake", price: { usdPerHour: 3.36, source: "catalogue" } });
  expect(offerings.find(({ spec }) => spec === "gd-8xh100ib-i128")).toEqual({
    spec: "gd-8xh100ib-i128",
    resources: { cpus: 128, memoryBytes: 2 * 1024 ** 4, gpus: { type: "H100", count: 8 } },
    price: { usdPerHour: 49.24, per: "instance", asOf: "2026-10-04T00:00:00Z", source: "catalogue" },
  });
  for (const { spec, price } of offerings.slice(-3)) {
    expect(spec).toMatch(/^g?b300/);
    expect(price).toBeUndefined();
  }
});

test("the README names every GPU", () => {
  for (const { gpus } of Object.values(CATALOGUE.types)) if (gpus !== undefined) expect(readme).toContain(gpus.type);
});
