import "@aws-sdk/client-cost-explorer";
import "@aws-sdk/client-ec2";
import "@aws-sdk/client-pricing";
import { describe, expect, test } from "vitest";
import { type AwsWorld, awsWorld, failure, through } from "./world.ts";

const GIB = 1024 ** 3;
const DAY_MS = 86_400_000;
const FEWEST = "5";

/** Another process, to which EC2 gives five rows at a time. */
const inSmallPages = (world: AwsWorld) =>
  through(world, (_request, send) =>
    send((parameters) => {
      const isById = [...parameters.keys()].some((name) => /Id\.\d+$/.test(name));
      if (parameters.get("Action")?.startsWith("Describe") === true && !isById) parameters.set("MaxResults", FEWEST);
    }),
  );
const tokens = (world: AwsWorld, action: string) =>
  world.sent(action).filter(({ parameters }) => parameters.has("NextToken"));

describe("a listing of several pages is whole", () => {
  test("of instances", async () => {
    const world = awsWorld();
    for (let at = 0; at < 12; at += 1) await world.provider.spawn({ spec: "t3.micro", key: `k${at}` });
    const provider = inSmallPages(world);
    expect(await provider.list()).toHaveLength(12);
    expect(tokens(world, "DescribeInstances")).toHaveLength(2);
  });

  test("of volumes", async () => {
    const world = awsWorld();
    for (let at = 0; at < 7; at += 1) {
      await world.provider.createVolume({ key: `v${at}`, sizeBytes: GIB, zone: "us-east-1a" });
    }
    expect(await inSmallPages(world).listVolumes()).toHaveLength(7);
    expect(tokens(world, "DescribeVolumes")).toHaveLength(1);
  });

  test("and ends in an error where one page fails", async () => {
    const world = awsWorld();
    for (let at = 0; at < 7; at += 1) await world.provider.spawn({ spec: "t3.micro", key: `k${at}` });
    const failing = through(world, async (request, send) => {
      if (request.parameters.has("NextToken")) return new Response("<html>", { status: 403 });
      return await send((parameters) => parameters.set("MaxResults", FEWEST));
    });
    expect(await failure(failing.list())).toMatchObject({ code: "INTERNAL", effect: "none" });
  });
});

/** The remote's JSON services, in pages of a test's making. */
function paged(world: AwsWorld, action: string, pages: number, page: (at: number) => object, token: string) {
  let asked = 0;
  const provider = through(world, async (request, send) => {
    if (request.action !== action) return await send();
    asked += 1;
    const answer = { ...page(asked), ...(asked < pages ? { [token]: `page-${asked}` } : {}) };
    return new Response(JSON.stringify(answer), { headers: { "content-type": "application/x-amz-json-1.1" } });
  });
  return { provider, asked: () => asked };
}

describe("costs of several pages", () => {
  const days = (world: AwsWorld) => {
    const today = Math.floor(world.emulator.clock.now() / DAY_MS) * DAY_MS;
    const [from, to] = [today - 5 * DAY_MS, today - 4 * DAY_MS].map((at) => new Date(at).toISOString());
    return { from: from ?? "", to: to ?? "" };
  };
  const costing = (pages: number) => {
    const world = awsWorld();
    const { from, to } = days(world);
    const row = {
      TimePeriod: { Start: from.slice(0, 10), End: to.slice(0, 10) },
      Total: { UnblendedCost: { Amount: "1.5", Unit: "USD" } },
    };
    const wire = paged(world, "GetCostAndUsage", pages, () => ({ ResultsByTime: [row] }), "NextPageToken");
    return { ...wire, query: { from, to } };
  };

  test("are summed over all of them", async () => {
    const { provider, query } = costing(3);
    expect(await provider.getCosts(query)).toMatchObject([{ usd: 4.5 }]);
  });

  test("are an error where they never end: a part of the sum would be wrong", async () => {
    const { provider, query, asked } = costing(Infinity);
    expect(await failure(provider.getCosts(query))).toMatchObject({ code: "INTERNAL", effect: "none" });
    expect(asked()).toBe(100);
  });
});

describe("a price list of several pages", () => {
  const entry = (spec: string, usd: number) => {
    const priceDimensions = { x: { unit: "Hrs", pricePerUnit: { USD: String(usd) } } };
    return JSON.stringify({
      product: { attributes: { instanceType: spec, regionCode: "us-east-1" } },
      terms: { OnDemand: { a: { priceDimensions } } },
    });
  };
  const listing = (pages: number, entryOf = (at: number) => entry(`m${at}.large`, 0.5)) => {
    const world = awsWorld();
    const wire = paged(world, "GetProducts", pages, (at) => ({ PriceList: [entryOf(at)] }), "NextToken");
    return { ...world, ...wire };
  };

  test("is whole", async () => {
    const specs = (await listing(3).provider.listOfferings()).map(({ spec }) => spec);
    expect(specs.toSorted()).toEqual(["m1.large", "m2.large", "m3.large"]);
  });

  test("has a machine type once, at its lowest price", async () => {
    const { provider } = listing(3, (at) => entry("m5.large", [0.7, 0.5, 0.6][at - 1] ?? 0));
    expect(await provider.listOfferings()).toMatchObject([{ spec: "m5.large", price: { usdPerHour: 0.5 } }]);
  });

  test("is kept for half a day", async () => {
    const { provider, asked, emulator } = listing(1);
    for (let times = 0; times < 2; times += 1) await provider.listOfferings();
    expect(asked()).toBe(1);
    await emulator.clock.sleep(12 * 3_600_000);
    await provider.listOfferings();
    expect(asked()).toBe(2);
  });

  test("is an error where it never ends", async () => {
    const { provider } = listing(Infinity);
    expect(await failure(provider.listOfferings())).toMatchObject({ code: "INTERNAL", effect: "none" });
  });
});
