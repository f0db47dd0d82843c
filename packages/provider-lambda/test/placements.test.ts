import { describe, expect, test } from "vitest";
import { EMULATED_REGIONS } from "../emulator/index.ts";
import { failure, lambdaWorld, REGIONS } from "./world.ts";

const LAUNCH = "/instance-operations/launch";

function soldOut(control: ReturnType<typeof lambdaWorld>["emulator"]["control"], type: string): void {
  for (const { name } of EMULATED_REGIONS) control.setCapacity(type, name, 0);
}

test("without a region the first configured one that shows capacity is taken", async () => {
  const { provider, emulator } = lambdaWorld();
  expect((await provider.spawn({ spec: "gpu_1x_a10" })).region).toBe("us-west-1");
  emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 0);
  expect((await provider.spawn({ spec: "gpu_1x_a10" })).region).toBe("us-east-1");
});

test("where no configured region shows capacity no launch is spent", async () => {
  const { provider, emulator, sent } = lambdaWorld();
  for (const region of REGIONS) emulator.control.setCapacity("gpu_1x_a10", region, 0);
  const error = await failure(provider.spawn({ spec: "gpu_1x_a10" }));
  expect(error).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", effect: "none" });
  expect(sent(LAUNCH)).toEqual([]);
});

test("a region that was named is tried whatever the list says", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.showCapacity("gpu_1x_a10", "us-east-1", false);
  expect((await provider.spawn({ spec: "gpu_1x_a10", region: "us-east-1", maxUsdPerHour: 1 })).region).toBe(
    "us-east-1",
  );
});

test("a list that lies ends in the remote's own refusal", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 0);
  emulator.control.showCapacity("gpu_1x_a10", "us-west-1", true);
  const error = await failure(provider.spawn({ spec: "gpu_1x_a10" }));
  expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", native: { status: 400 } });
});

describe("gpu", () => {
  test.each([
    [{ type: "a10", count: 1 }, "gpu_1x_a10"],
    [{ type: "A100", count: 1 }, "gpu_1x_a100"],
    [{ type: "h100", count: 1 }, "gpu_1x_h100_pcie"],
    [{ type: "h100_sxm5", count: 1 }, "gpu_1x_h100_sxm5"],
    [{ count: 8 }, "gpu_8x_a100_80gb_sxm4"],
    [{ count: 1 }, "gpu_1x_a10"],
  ])("%j gives %s", async (gpu, spec) => {
    const { provider } = lambdaWorld();
    expect((await provider.spawn({ gpu })).spec).toBe(spec);
  });

  test("the cheapest that has capacity is taken", async () => {
    const { provider, emulator } = lambdaWorld();
    soldOut(emulator.control, "gpu_1x_h100_pcie");
    expect((await provider.spawn({ gpu: { type: "h100", count: 1 } })).spec).toBe("gpu_1x_h100_sxm5");
  });

  test.each(["a10", "NVIDIA A10", "gpu_1x_a10"])("%s is one thing by any name", async (type) => {
    const { provider } = lambdaWorld();
    expect((await provider.spawn({ gpu: { type, count: 1 } })).spec).toBe("gpu_1x_a10");
  });

  test("what nobody sells is INVALID_SPEC before any launch", async () => {
    const { provider, sent } = lambdaWorld();
    const wanted = [
      { gpu: { type: "tpu", count: 1 } },
      { gpu: { count: 3 } },
      { spec: "gpu_1x_a10", gpu: { count: 8 } },
    ];
    for (const options of wanted) {
      expect(await failure(provider.spawn(options))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
    expect(sent(LAUNCH)).toEqual([]);
  });
});

test("resources choose the cheapest machine type that has them", async () => {
  const { provider } = lambdaWorld();
  expect((await provider.spawn({ resources: { cpus: 4 } })).spec).toBe("cpu_4x_general");
  expect((await provider.spawn({ resources: { memoryBytes: 100 * 1024 ** 3 } })).spec).toBe("gpu_1x_a10");
  expect((await provider.spawn({ resources: { diskBytes: 2_000 * 1024 ** 3 } })).spec).toBe("gpu_1x_gh200");
});

test("a request without any machine type is refused with an example", async () => {
  const { provider } = lambdaWorld();
  const error = await failure(provider.spawn({}));
  expect(error.code).toBe("INVALID_SPEC");
  expect(error.hint).toContain("gpu_1x_a10");
});

test("maxUsdPerHour keeps to what may be paid, to the cent", async () => {
  const { provider, sent } = lambdaWorld();
  const above = await failure(provider.spawn({ spec: "gpu_1x_a100", maxUsdPerHour: 1.28 }));
  expect(above).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(above.message).toContain("1.29");
  expect(sent(LAUNCH)).toEqual([]);
  expect((await provider.spawn({ spec: "gpu_1x_a100", maxUsdPerHour: 1.29 })).price?.usdPerHour).toBe(1.29);
});

describe("placements", () => {
  test("lists places by price and configured region, ready for launch", async () => {
    const { provider, emulator } = lambdaWorld();
    emulator.control.setCapacity("gpu_1x_h100_pcie", "us-west-1", 0);
    expect(await provider.placements({ gpu: { type: "h100", count: 1 } })).toEqual([
      { spec: "gpu_1x_h100_pcie", region: "us-east-1" },
      { spec: "gpu_1x_h100_sxm5", region: "us-west-1" },
      { spec: "gpu_1x_h100_sxm5", region: "us-east-1" },
    ]);
    for (const place of await provider.placements({ gpu: { type: "h100", count: 1 } })) {
      const { region, spec } = await provider.spawn({ gpu: { type: "h100", count: 1 }, ...place });
      expect({ region, spec }).toEqual(place);
    }
  });

  test("names regions alone where resources choose the machine type", async () => {
    const { provider } = lambdaWorld();
    expect(await provider.placements({ resources: { cpus: 4 } })).toEqual([
      { region: "us-west-1" },
      { region: "us-east-1" },
    ]);
  });

  test("is empty where nothing is shown, and refuses a region that was not configured", async () => {
    const { provider, emulator } = lambdaWorld();
    for (const region of REGIONS) emulator.control.setCapacity("gpu_1x_a10", region, 0);
    expect(await provider.placements({ spec: "gpu_1x_a10" })).toEqual([]);
    const error = await failure(provider.placements({ spec: "gpu_1x_a10", region: "atlantis-1" }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", operation: "placements" });
  });
});

test("offerings are all machine types, with live prices and the regions that show capacity", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 0);
  const offerings = await provider.listOfferings();
  expect(offerings.map(({ spec }) => spec).slice(0, 3)).toEqual(["cpu_4x_general", "gpu_1x_a10", "gpu_1x_a100"]);
  expect(offerings).toHaveLength(8);
  expect(offerings[1]).toEqual({
    spec: "gpu_1x_a10",
    resources: { cpus: 30, memoryBytes: 200 * 1024 ** 3, diskBytes: 1400 * 1024 ** 3, gpus: { type: "a10", count: 1 } },
    price: { usdPerHour: 0.75, per: "instance", source: "live", asOf: expect.stringMatching(/^2026-01-01T00:00:00/) },
    regions: ["us-east-1"],
  });
});

test("the methods beyond the contract keep signal and time limit, too", async () => {
  const { provider, emulator } = lambdaWorld();
  emulator.control.faults.add({ operation: "list-types", when: "delayed", delayMs: 10_000, times: 9 });
  expect(await failure(provider.listOfferings({ timeoutMs: 1_000 }))).toMatchObject({
    code: "TIMEOUT",
    operation: "listOfferings",
    effect: "none",
  });
  const signal = AbortSignal.abort();
  expect(await failure(provider.placements({ spec: "gpu_1x_a10", signal }))).toMatchObject({ code: "CANCELLED" });
});
