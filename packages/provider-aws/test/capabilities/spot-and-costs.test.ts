import "@aws-sdk/client-cost-explorer";
import "@aws-sdk/client-ec2";
import "@aws-sdk/client-pricing";
import { describe, expect, test } from "vitest";
import { costDays } from "../../src/capabilities/cost-query.ts";
import { gpusOf, gpuTypesOf } from "../../src/capabilities/gpu.ts";
import { hibernationProblem } from "../../src/capabilities/hibernation-part.ts";
import { marketOptions } from "../../src/capabilities/market-options.ts";
import { listedPrice } from "../../src/capabilities/prices.ts";
import { architectureOf, typeFor } from "../../src/machine-types.ts";
import { awsWorld, failure, through } from "../world.ts";

const GIB = 1024 ** 3;

describe("spot", () => {
  test("an instance that EC2 reclaims says so", async () => {
    const world = awsWorld({ bootMs: 0, endMs: 1_000 });
    const { id } = await world.provider.spawn({ spec: "m5.large", spot: {} });
    world.emulator.control.interrupt(id, 1_000);
    await world.emulator.clock.sleep(30_000);
    expect(await world.provider.get(id)).toMatchObject({
      status: "terminated",
      isSpot: true,
      statusReason: { code: "Server.SpotInstanceTermination" },
    });
  });

  test("a request that is cancelled ends its instance, from any process, also by the bare id", async () => {
    const world = awsWorld({ bootMs: 0 });
    const { requestId, instanceId, status } = await world.provider.requestSpotInstance({ spec: "m5.large", key: "k" });
    expect(status).toBe("fulfilled");
    expect(requestId).toMatch(/^us-east-1\/sir-/);
    await world.another().cancelSpotRequest(requestId.slice(requestId.indexOf("/") + 1));
    expect((await world.provider.get(instanceId ?? ""))?.status).toMatch(/terminat/);
    expect(
      world.emulator.control.spotRequests().every(({ state }) => state === "cancelled" || state === "closed"),
    ).toBe(true);
  });

  test.each([
    [0.25, "0.25"],
    [1, "1."],
    [0.0012345678, "0.001235"],
  ])("a price of %d is written without an exponent", (maxUsdPerHour, written) => {
    const { InstanceMarketOptions } = marketOptions("spawn", { spot: { maxUsdPerHour } });
    expect(Number(InstanceMarketOptions?.SpotOptions?.MaxPrice)).toBe(Number(written));
    expect(InstanceMarketOptions?.SpotOptions?.MaxPrice).not.toMatch(/e/);
  });

  test("the lower of two ceilings is sent", async () => {
    const { provider, sent } = awsWorld();
    await provider.spawn({ spec: "m5.large", spot: { maxUsdPerHour: 0.5 }, maxUsdPerHour: 0.25 });
    const { parameters = new URLSearchParams() } = sent("RunInstances")[0] ?? {};
    expect(parameters.get("InstanceMarketOptions.SpotOptions.MaxPrice")).toBe("0.25");
  });

  test("of two prices that EC2 tells of one place the later one holds, in whichever order they come", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const world = awsWorld();
      const rows = [
        ["0.1", "2026-01-02T00:00:00Z"],
        ["0.3", "2026-01-01T00:00:00Z"],
      ].map(([price, at]) => {
        const place = "<instanceType>m5.large</instanceType><availabilityZone>us-east-1a</availabilityZone>";
        return `<item>${place}<spotPrice>${price}</spotPrice><timestamp>${at}</timestamp></item>`;
      });
      const listed = order.map((at) => rows[at]).join("");
      const body = `<spotPriceHistorySet>${listed}</spotPriceHistorySet><nextToken/>`;
      const provider = through(world, async () => {
        const answer = `<DescribeSpotPriceHistoryResponse>${body}</DescribeSpotPriceHistoryResponse>`;
        return new Response(answer, { headers: { "content-type": "text/xml;charset=UTF-8" } });
      });
      expect(await provider.getSpotPrices()).toMatchObject([{ usdPerHour: 0.1, zone: "us-east-1a" }]);
    }
  });

  test("a price that EC2 would not take is INVALID_SPEC", () => {
    for (const maxUsdPerHour of [0, -1, 0.0001, Number.NaN]) {
      expect(() => marketOptions("spawn", { spot: { maxUsdPerHour } })).toThrow(/maxUsdPerHour/);
    }
  });
});

describe("prices", () => {
  test("are the emulator's list, cheapest first, with their time", async () => {
    const { provider, emulator } = awsWorld();
    const offerings = await provider.listOfferings();
    const costs = offerings.map(({ price }) => price?.usdPerHour ?? 0);
    expect(costs.length).toBeGreaterThan(3);
    expect(costs).toEqual(costs.toSorted((a, b) => a - b));
    const { source, asOf = "" } = offerings[0]?.price ?? {};
    expect(source).toBe("live");
    expect(emulator.clock.now() - Date.parse(asOf)).toBeLessThan(1_000);
  });

  test("above maxUsdPerHour refuse a spawn before the launch, and below it let it through", async () => {
    const { provider, sent } = awsWorld();
    const price = (await provider.listOfferings()).find(({ spec }) => spec === "m5.large")?.price?.usdPerHour ?? 0;
    expect(price).toBeGreaterThan(0);
    const error = await failure(provider.spawn({ spec: "m5.large", maxUsdPerHour: price / 2 }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(sent("RunInstances")).toEqual([]);
    // The public address and the disk are no part of the list price, and part of the bill.
    const listed = await failure(provider.spawn({ spec: "m5.large", maxUsdPerHour: price }));
    expect(listed.message).toMatch(/public address/);
    expect(sent("RunInstances")).toEqual([]);
    await provider.spawn({ spec: "m5.large", maxUsdPerHour: price + 0.007 });
  });

  test("that AWS does not list refuse a spawn that must not cost more, and say what to do", async () => {
    const world = awsWorld();
    const provider = through(world, async (request, send) => {
      if (request.action !== "GetProducts") return await send();
      return Response.json({ PriceList: [] });
    });
    const error = await failure(provider.spawn({ spec: "m5.large", maxUsdPerHour: 10, ports: [{ port: 22 }] }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(error.hint).toMatch(/maxUsdPerHour/);
    expect([...world.sent("RunInstances"), ...world.sent("CreateSecurityGroup")]).toEqual([]);
  });

  test("of machines with CPU credits stay what they are: what goes beyond is not bought unless asked for", async () => {
    const world = awsWorld();
    await world.provider.spawn({ spec: "t3.micro" });
    await world.another({ cpuCredits: "unlimited" }).spawn({ spec: "t3.micro" });
    await world.provider.spawn({ spec: "m5.large" });
    const sent = world.sent("RunInstances").map(({ parameters }) => parameters.get("CreditSpecification.CpuCredits"));
    expect(sent).toEqual(["standard", "unlimited", null]);
  });

  test("that may not be asked for refuse a spawn that must not cost more", async () => {
    const world = awsWorld();
    world.emulator.control.denied.add("GetProducts");
    const error = await failure(world.provider.spawn({ spec: "m5.large", maxUsdPerHour: 0.001 }));
    expect(error).toMatchObject({ code: "AUTH_ERROR", effect: "none" });
    expect(world.emulator.control.instances()).toEqual([]);
  });

  test.each([
    ["", undefined],
    ["not json", undefined],
    ["[]", undefined],
    ['{"product":{"attributes":{}}}', undefined],
    [entry("0.0000000000"), undefined],
    [entry("0.0960000000"), 0.096],
  ])("an entry %s is %s", (text, usd) => {
    expect(listedPrice(text)?.usdPerHour).toBe(usd);
  });
});

function entry(usd: string): string {
  const priceDimensions = { x: { unit: "Hrs", pricePerUnit: { USD: usd } } };
  return JSON.stringify({
    product: { attributes: { instanceType: "m5.large", regionCode: "us-east-1", vcpu: "2", memory: "8 GiB" } },
    terms: { OnDemand: { a: { priceDimensions } } },
  });
}

describe("costs", () => {
  const DAY = 86_400_000;

  test("are asked for only when asked for, and once", async () => {
    const { provider, sent, emulator } = awsWorld();
    const to = new Date(emulator.clock.now()).toISOString();
    const from = new Date(emulator.clock.now() - 3 * DAY).toISOString();
    await provider.getCosts({ from, to });
    await provider.listOfferings();
    expect(sent("GetCostAndUsage")).toHaveLength(1);
  });

  test("cover the whole days that the question touches, and none that is yet to come", () => {
    const now = Date.parse("2026-01-10T12:00:00Z");
    const days = costDays("getCosts", { from: "2026-01-01T06:00:00Z", to: "2026-01-20T00:00:00Z" }, now);
    expect(days).toEqual({ start: "2026-01-01", end: "2026-01-11" });
    expect(costDays("getCosts", { from: "2026-02-01T00:00:00Z", to: "2026-02-02T00:00:00Z" }, now)).toBeNull();
    expect(() => costDays("getCosts", { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" }, now)).toThrow(
      /before/,
    );
  });
});

describe("machine types", () => {
  test.each([
    [{ cpus: 1 }, "t3.nano"],
    [{ cpus: 2, memoryBytes: 4 * GIB }, "t3.medium"],
    [{ cpus: 4, memoryBytes: 8 * GIB }, "t3.xlarge"],
    [{ cpus: 16, memoryBytes: 128 * GIB }, "r7i.4xlarge"],
    [{ diskBytes: 100 * GIB }, "t3.micro"],
  ])("for %j is %s", (resources, type) => {
    expect(typeFor("spawn", resources, "t3.micro")).toBe(type);
  });

  test("that do not exist are INVALID_SPEC", () => {
    expect(() => typeFor("spawn", { cpus: 1_000 }, "t3.micro")).toThrow(/no machine type/);
  });

  test.each([
    ["t4g.micro", "arm64"],
    ["c7gn.large", "arm64"],
    ["g5g.xlarge", "arm64"],
    ["im4gn.large", "arm64"],
    ["a1.large", "arm64"],
    ["g4dn.xlarge", "x86_64"],
    ["g6e.xlarge", "x86_64"],
    ["p4de.24xlarge", "x86_64"],
    ["m7i.large", "x86_64"],
    ["x2iedn.large", "x86_64"],
  ])("%s is %s", (type, architecture) => {
    expect(architectureOf(type)).toBe(architecture);
  });

  test("with accelerators have what was asked for, the cheapest first", () => {
    expect(gpuTypesOf({ type: "NVIDIA T4", count: 1 })[0]).toBe("g4dn.xlarge");
    for (const type of gpuTypesOf({ count: 8 })) expect(gpusOf(type)?.count).toBe(8);
    expect(gpuTypesOf({ type: "t4", count: 3 })).toEqual([]);
    // One table of names for all providers; the plain name means the plain one first.
    expect(gpuTypesOf({ type: "gpu_8x_a100", count: 8 })).toEqual(["p4d.24xlarge", "p4de.24xlarge"]);
    expect(gpuTypesOf({ type: "NVIDIA A100 80GB", count: 8 })).toEqual(["p4de.24xlarge"]);
  });
});

describe("hibernation", () => {
  const type = { InstanceType: "m5.large" as const, HibernationSupported: true, MemoryInfo: { SizeInMiB: 8_192 } };

  test.each([
    [{}, null],
    [{ spot: true }, /spot/],
    [{ rootDeviceType: "instance-store" }, /EBS/],
    [{ type: { ...type, BareMetal: true } }, /bare metal/],
    [{ type: { ...type, HibernationSupported: false } }, /does not hibernate/],
    [{ type: { ...type, MemoryInfo: { SizeInMiB: 200 * 1024 } } }, /200 GiB/],
  ])("of %j: %s", (facts, problem) => {
    const told = hibernationProblem({ type, rootDeviceType: "ebs", spot: false, ...facts });
    if (problem === null) expect(told).toBeNull();
    else expect(told).toMatch(problem);
  });

  test("makes the root large enough for the memory", async () => {
    const { provider, sent, emulator } = awsWorld();
    await provider.spawn({ spec: "m5.large", hibernation: true });
    const sizes = Number(sent("RunInstances")[0]?.parameters.get("BlockDeviceMapping.1.Ebs.VolumeSize"));
    expect(sizes).toBeGreaterThanOrEqual(16);
    expect(emulator.control.instances()).toHaveLength(1);
  });

  test("of what EC2 cannot hibernate is refused before the launch", async () => {
    const { provider, sent } = awsWorld();
    const error = await failure(provider.spawn({ spec: "m5.large", spot: {}, hibernation: true }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(sent("RunInstances")).toEqual([]);
  });
});
