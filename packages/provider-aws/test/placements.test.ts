import "@aws-sdk/client-ec2";
import { launch, memoryStore } from "@slipway/control";
import { expect, test } from "vitest";
import { awsWorld, failure, through, type Wire } from "./world.ts";

const M5 = { spec: "m5.large" } as const;
const close = (world: ReturnType<typeof awsWorld>, ...zones: readonly string[]): void => {
  for (const zone of zones) world.emulator.control.setCapacity({ zone, type: "m5.large" }, 0);
};

test("one subnet of each zone that sells the machine type, in every configured region", async () => {
  const { provider } = awsWorld({}, { regions: ["us-east-1", "eu-central-1"] });
  const places = await provider.placements(M5);
  expect(places.map(({ region }) => region)).toEqual([...Array(3).fill("us-east-1"), ...Array(3).fill("eu-central-1")]);
  expect(new Set(places.map(({ network }) => network?.subnet)).size).toBe(6);
});

test("where two of three zones have no capacity, a launch takes three requests at most; the next one takes one", async () => {
  const world = awsWorld();
  const places = await world.provider.placements(M5);
  const zones = ["us-east-1a", "us-east-1b", "us-east-1c"];
  close(world, ...zones.slice(0, 2));
  const store = memoryStore();
  const options = { store, clock: world.emulator.clock };
  const placed = async (key: string) =>
    launch(world.provider, { ...M5, key }, { ...options, placements: await world.provider.placements(M5) });
  expect(places).toHaveLength(3);
  expect((await placed("first")).zone).toBe("us-east-1c");
  expect(world.sent("RunInstances").length).toBeLessThanOrEqual(3);
  const before = world.sent("RunInstances").length;
  expect((await placed("second")).zone).toBe("us-east-1c");
  expect(world.sent("RunInstances").length - before).toBe(1);
  expect(world.emulator.control.instances()).toHaveLength(2);
});

test("a zone that refused comes back in its place after three minutes", async () => {
  const world = awsWorld();
  const [first] = await world.provider.placements(M5);
  const subnet = first?.network?.subnet ?? "";
  const zone = world.emulator.control.instances().length === 0 ? "us-east-1a" : "";
  close(world, zone, "us-east-1b", "us-east-1c");
  await failure(world.provider.spawn({ ...M5, network: { subnet } }));
  expect((await world.provider.placements(M5)).at(-1)?.network?.subnet).toBe(subnet);
  await world.emulator.clock.sleep(180_001);
  expect((await world.provider.placements(M5))[0]?.network?.subnet).toBe(subnet);
});

test("what was refused on spot says nothing of on-demand", async () => {
  const world = awsWorld({ spotVcpuQuota: 0 });
  const [first] = await world.provider.placements(M5);
  const error = await failure(world.provider.spawn({ ...M5, ...first, spot: {} }));
  expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", scope: "capacity-type", effect: "none" });
  expect((await world.provider.placements(M5))[0]).toEqual(first);
  await world.provider.spawn({ ...M5, ...first });
});

test("a spawn itself never goes elsewhere, and no memory changes what it asks for", async () => {
  const world = awsWorld();
  const [first] = await world.provider.placements(M5);
  close(world, "us-east-1a", "us-east-1b", "us-east-1c");
  const options = { ...M5, ...first, key: "k" };
  for (let times = 0; times < 2; times += 1) await failure(world.provider.spawn(options));
  const [a, b] = world.sent("RunInstances").map(({ parameters }) => {
    parameters.sort();
    return parameters.toString();
  });
  expect(a).toBe(b);
});

test("zones that never sell the machine type are left out, and the answer is kept for a day", async () => {
  const world = awsWorld();
  await world.provider.placements(M5);
  await world.provider.placements(M5);
  expect(world.sent("DescribeInstanceTypeOfferings")).toHaveLength(1);
  await world.emulator.clock.sleep(25 * 3_600_000);
  await world.provider.placements(M5);
  expect(world.sent("DescribeInstanceTypeOfferings")).toHaveLength(2);
});

test("a volume's zone, and its region, are the only place of a spawn with it", async () => {
  const { provider } = awsWorld({}, { regions: ["us-east-1", "eu-central-1"] });
  const { id } = await provider.createVolume({ key: "v", sizeBytes: 1024 ** 3, zone: "eu-central-1b" });
  const places = await provider.placements({ ...M5, volumes: [{ id, mountPath: "/data" }] });
  expect(places).toHaveLength(1);
  expect(places[0]?.region).toBe("eu-central-1");
  expect((await provider.spawn({ ...M5, ...places[0] })).zone).toBe("eu-central-1b");
});

test("resources choose the machine type as the spawn does", async () => {
  const { provider, sent } = awsWorld();
  await provider.placements({ resources: { cpus: 2, memoryBytes: 4 * 1024 ** 3 } });
  expect(sent("DescribeInstanceTypeOfferings")[0]?.parameters.get("Filter.1.Value.1")).toBe("t3.medium");
});

test("a subnet without a free address is no place", async () => {
  const world = awsWorld({ addresses: 1 });
  const [first] = await world.provider.placements(M5);
  await world.provider.spawn({ ...M5, ...first });
  const left = await world.provider.placements(M5);
  expect(left).toHaveLength(2);
  expect(left).not.toContainEqual(first);
});

test("a spot instance that EC2 reclaims puts its place last, for spot alone", async () => {
  const world = awsWorld({ bootMs: 0, endMs: 1_000 });
  const [first] = await world.provider.placements({ ...M5, spot: {} });
  const { id } = await world.provider.spawn({ ...M5, ...first, spot: {} });
  world.emulator.control.interrupt(id, 1_000);
  await world.emulator.clock.sleep(60_000);
  await world.provider.list({ status: ["terminated"] });
  expect((await world.provider.placements({ ...M5, spot: {} })).at(-1)).toEqual(first);
  expect((await world.provider.placements(M5))[0]).toEqual(first);
  // EC2 goes on showing it: it is remembered once.
  await world.provider.get(id);
  expect(world.events.filter(({ type }) => type === "offering.unavailable")).toHaveLength(1);
});

test("a subnet that refused for want of addresses comes last for every machine type", async () => {
  const world = awsWorld();
  const [first] = await world.provider.placements(M5);
  const row = "InsufficientFreeAddressesInSubnet";
  world.emulator.control.faults.add({ operation: "RunInstances", when: "before", row });
  await failure(world.provider.spawn({ ...M5, ...first }));
  expect((await world.provider.placements({ spec: "m6i.large" })).at(-1)).toEqual(first);
});

test("a quota of spot is remembered of spot as such, and of no zone", async () => {
  const world = awsWorld({ spotVcpuQuota: 0 });
  const [first] = await world.provider.placements(M5);
  await failure(world.provider.spawn({ ...M5, ...first, spot: {} }));
  const noted = world.events.flatMap((event) => (event.type === "offering.unavailable" ? [event.offering] : []));
  expect(noted).toEqual(["spot:*:us-east-1"]);
});

test("of two subnets in a zone the one that refused just now gives way, also with more addresses", async () => {
  const world = awsWorld();
  const row = "InsufficientFreeAddressesInSubnet";
  // Each zone's own subnet, and another with fewer addresses.
  const twice: Wire = async ({ action }, send) => {
    const answer = await send();
    if (action !== "DescribeSubnets") return answer;
    const text = await answer.text();
    const [, rows = ""] = /<subnetSet>(.*)<\/subnetSet>/s.exec(text) ?? [];
    const second = rows
      .replaceAll(/<subnetId>subnet-\w/g, "<subnetId>subnet-f")
      .replaceAll(/<availableIpAddressCount>\d+/g, "<availableIpAddressCount>5");
    return new Response(text.replace("</subnetSet>", `${second}</subnetSet>`), {
      headers: { "content-type": "text/xml;charset=UTF-8" },
    });
  };
  const provider = through(world, twice);
  const own = (await provider.placements(M5)).map(({ network }) => network?.subnet);
  expect(own.every((subnet) => !subnet?.startsWith("subnet-f"))).toBe(true);
  world.emulator.control.faults.add({ operation: "RunInstances", when: "before", row, times: 3 });
  for (const subnet of own) await failure(provider.spawn({ ...M5, network: { subnet: subnet ?? "" } }));
  expect((await provider.placements(M5))[0]?.network?.subnet).toMatch(/^subnet-f/);
});

test("a quota of the region puts the region's zones last, behind those of another", async () => {
  const world = awsWorld({}, { regions: ["us-east-1", "eu-central-1"] });
  const [first] = await world.provider.placements(M5);
  world.emulator.control.faults.add({ operation: "RunInstances", when: "before", row: "VcpuLimitExceeded" });
  await failure(world.provider.spawn({ ...M5, ...first }));
  const regions = (await world.provider.placements(M5)).map(({ region }) => region);
  expect(regions).toEqual([...Array(3).fill("eu-central-1"), ...Array(3).fill("us-east-1")]);
});
