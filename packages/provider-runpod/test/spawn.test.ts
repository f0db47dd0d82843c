import { nameFor } from "@slipway/core";
import { expect, test } from "vitest";
import { GPU } from "./runpod-harness.ts";
import { createsOf, rejection, testWorld } from "./world.ts";

const L4 = "NVIDIA L4";
const KEY_LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx4 me@laptop";

test("what RunPod has defaults for is always sent, and the place is one", async () => {
  const { provider, emulator } = testWorld();
  await provider.spawn({ key: "a", spec: GPU, ports: [{ port: 8080 }, { port: 22 }] });
  expect(createsOf(emulator)).toEqual([
    {
      name: nameFor("tests", "a"),
      image: "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
      cloud: "SECURE",
      disk: 20,
      ports: ["22/tcp", "8080/tcp"],
      gpu: { id: GPU, count: 1 },
      dataCenterIds: [expect.any(String)],
      startSsh: true,
      env: { SLIPWAY_OWNER: "tests", SLIPWAY_KEY: '"a"', SLIPWAY_SPEC_HASH: expect.stringMatching(/^sha256:/) },
    },
  ]);
});

test("keys of the caller go as PUBLIC_KEY, instead of the account's", async () => {
  const { provider, emulator } = testWorld();
  await provider.spawn({ key: "a", spec: GPU, sshKeys: [KEY_LINE, `${KEY_LINE}-2`] });
  const [body] = createsOf(emulator);
  expect(body).not.toHaveProperty("startSsh");
  expect(body?.["env"]).toMatchObject({ PUBLIC_KEY: `${KEY_LINE}\n${KEY_LINE}-2` });
});

test("the ownership comes back as it was given, whatever stands in them", async () => {
  const { provider, another } = testWorld();
  const labels = { "a b": '{"quoted"}', __proto__x: "ü\n\t", constructor: "1" };
  const expiresAt = "2027-01-01T00:00:00Z";
  const { id } = await provider.spawn({ key: "  spaced  ", spec: GPU, name: "Mine", labels, expiresAt });
  expect(await another().get(id)).toMatchObject({ key: "  spaced  ", owner: "tests", name: "Mine", labels, expiresAt });
});

test("a place without stock is not tried, and the cheapest that fits is", async () => {
  const { provider, emulator } = testWorld({
    stock: [
      { spec: L4, units: 0 },
      { spec: GPU, dataCenter: "EU-RO-1", units: 1 },
    ],
  });
  const instance = await provider.spawn({ key: "a", gpu: { count: 1 } });
  expect([instance.spec, instance.region]).toEqual([GPU, "CA-MTL-3"]);
  expect(createsOf(emulator)).toHaveLength(1);
});

test("without stock anywhere nothing is sent; with a region RunPod itself is asked", async () => {
  const { provider, emulator } = testWorld({ stock: [{ spec: GPU, units: 0 }] });
  const none = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(none).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", effect: "none" });
  expect(createsOf(emulator)).toHaveLength(0);
  const refused = await rejection(provider.spawn({ key: "a", spec: GPU, region: "EU-RO-1" }));
  expect(refused).toMatchObject({
    code: "CAPACITY_ERROR",
    scope: "placement",
    effect: "none",
    native: { status: 400 },
  });
  expect(createsOf(emulator)).toHaveLength(1);
});

test("placements go from cheap to dear over both clouds, and each can be spawned", async () => {
  const { provider } = testWorld(
    { stock: [{ dataCenter: "EU-RO-1", cloud: "COMMUNITY", units: 2 }] },
    { cloud: "ALL" },
  );
  const options = { key: "a", gpu: { type: "RTX 4090", count: 1 } };
  const places = await provider.placements(options);
  expect(places.map(({ region, cloud }) => `${cloud} ${region}`)).toEqual([
    "COMMUNITY CA-MTL-3",
    "COMMUNITY US-KS-2",
    // The same price, and less stock.
    "COMMUNITY EU-RO-1",
    "SECURE CA-MTL-3",
    "SECURE EU-RO-1",
    "SECURE US-KS-2",
  ]);
  for (const [at, place] of places.entries()) {
    const made = await provider.spawn({ ...options, ...place, key: `place-${at}` });
    expect(made).toMatchObject({ region: place.region, cloud: place.cloud, spec: GPU });
  }
});

test("offerings are all types with price, place and age, the cheapest first", async () => {
  const stock = [
    { spec: "NVIDIA L4", units: 0 },
    { spec: GPU, dataCenter: "EU-RO-1", units: 0 },
  ];
  const { provider, clock } = testWorld({ stock }, { dataCenters: ["US-KS-2", "EU-RO-1"] });
  const offerings = await provider.listOfferings();
  const price = { per: "instance", source: "live", asOf: new Date(clock.now()).toISOString() };
  expect(offerings.find(({ spec }) => spec === GPU)).toEqual({
    spec: GPU,
    cloud: "SECURE",
    resources: { gpus: { type: GPU, count: 1 } },
    price: { ...price, usdPerHour: 0.69 },
    regions: ["US-KS-2"],
  });
  expect(offerings.find(({ spec }) => spec === "NVIDIA L4")?.regions).toEqual([]);
  expect(offerings[0]).toMatchObject({ spec: "cpu5c-2", resources: { cpus: 2 }, price: { usdPerHour: 0.07 } });
  const prices = offerings.map((one) => one.price?.usdPerHour ?? Number.NaN);
  expect(prices).toEqual(prices.toSorted((a, b) => a - b));
  expect(offerings).toHaveLength(7);
  // Whatever it lists can be spawned by its name.
  await provider.spawn({ key: "offered", spec: offerings[0]?.spec ?? "" });
});

test("offerings of both clouds, without what a cloud does not have, and their failure", async () => {
  const { provider, another } = testWorld({}, { cloud: "ALL" });
  const offerings = await provider.listOfferings();
  const cloudsOf = (wanted: string) => offerings.filter(({ spec }) => spec === wanted).map(({ cloud }) => cloud);
  expect(cloudsOf(GPU)).toEqual(["COMMUNITY", "SECURE"]);
  expect(cloudsOf("NVIDIA L4")).toEqual(["SECURE"]);
  expect(await rejection(another({ apiKey: "wrong" }).listOfferings())).toMatchObject({
    code: "AUTH_ERROR",
    operation: "listOfferings",
    effect: "none",
  });
});

test("a GPU is found by id, by name and by words, and by nothing else", async () => {
  const { provider } = testWorld();
  const specOf = async (type: string) => (await provider.placements({ gpu: { type, count: 1 } }))[0]?.spec;
  expect(await specOf("NVIDIA A100 80GB PCIe")).toBe("NVIDIA A100 80GB PCIe");
  expect(await specOf("a100 pcie")).toBe("NVIDIA A100 80GB PCIe");
  expect(await specOf("a100")).toBe("NVIDIA A100 80GB PCIe");
  expect(await specOf("H100 80GB")).toBe("NVIDIA H100 80GB HBM3");
  for (const type of ["A10", "GTX", "90"]) {
    expect(await rejection(specOf(type))).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  }
});

test.each(["gpu_1x_h100_80gb", "nvidia-h100-80gb", "h100"])("%s is one thing by any name", async (type) => {
  const { provider } = testWorld();
  const [place] = await provider.placements({ gpu: { type, count: 1 } });
  expect(place?.spec).toBe("NVIDIA H100 80GB HBM3");
});

test("CPU pods: by spec, and as the smallest that has the resources", async () => {
  const { provider, emulator } = testWorld();
  const named = await provider.spawn({ key: "a", spec: "cpu5c-4" });
  expect(named).toMatchObject({ spec: "cpu5c-4", price: { usdPerHour: 0.14, source: "live" }, resources: { cpus: 4 } });
  const sized = await provider.spawn({ key: "b", resources: { cpus: 3, memoryBytes: 16e9, diskBytes: 5e9 } });
  // 8 vCPUs of cpu5c would have the memory, too, and cost more.
  expect(sized.spec).toBe("cpu3g-4");
  expect(createsOf(emulator)[1]).toMatchObject({ cpu: { id: "cpu3g", vcpuCount: 4 }, disk: 5 });
  for (const spec of ["cpu5c-3", "cpu5c-64", "cpu9x-2"]) {
    expect(await rejection(provider.spawn({ key: spec, spec }))).toMatchObject({
      code: "INVALID_SPEC",
      effect: "none",
    });
  }
});

test.each([
  ["nothing", {}],
  ["a spec that nobody has", { spec: "NVIDIA Nothing" }],
  ["a spec with another gpu", { spec: GPU, gpu: { type: "L4", count: 1 } }],
  ["a CPU spec with gpu", { spec: "cpu5c-2", gpu: { count: 1 } }],
  ["more than a host has", { spec: GPU, gpu: { count: 9 } }],
  ["no data centre", { spec: GPU, region: "atlantis-1" }],
  ["a cloud that is none", { spec: GPU, cloud: "MOON" as never }],
  [
    "two volumes",
    {
      spec: GPU,
      volumes: [
        { id: "A", mountPath: "/a" },
        { id: "B", mountPath: "/b" },
      ],
    },
  ],
  ["a price below all", { spec: GPU, maxUsdPerHour: 0.1 }],
])("refuses %s before any write", async (_what, options) => {
  const { provider, emulator } = testWorld();
  const error = await rejection(provider.spawn({ key: "a", ...options }));
  expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  expect(createsOf(emulator)).toHaveLength(0);
});

test.each([
  ["UDP", { ports: [{ port: 53, protocol: "udp" }] }],
  ["a chosen outer port", { ports: [{ port: 80, hostPort: 8080 }] }],
  ["memory beside a GPU", { spec: undefined, gpu: { count: 1 }, resources: { memoryBytes: 1e9 } }],
] as const)("says UNSUPPORTED to %s", async (_what, options) => {
  const { provider, emulator } = testWorld();
  const error = await rejection(provider.spawn({ key: "a", spec: GPU, ...options }));
  expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  expect(emulator.requests).toHaveLength(0);
});

test("a volume decides the place", async () => {
  const { provider } = testWorld();
  const volume = await provider.createVolume({ key: "v", sizeBytes: 10e9, region: "US-KS-2" });
  const volumes = [{ id: volume.id, mountPath: "/data" }];
  expect(await provider.spawn({ key: "a", spec: GPU, volumes })).toMatchObject({
    region: "US-KS-2",
    volumeIds: [volume.id],
  });
  for (const elsewhere of [{ region: "EU-RO-1" }, { cloud: "COMMUNITY" }] as const) {
    const error = await rejection(provider.spawn({ key: "b", spec: GPU, volumes, ...elsewhere }));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  }
  for (const sizeBytes of [1e9, 5e12]) {
    expect(await rejection(provider.createVolume({ key: "w", sizeBytes }))).toMatchObject({ code: "INVALID_SPEC" });
  }
});

test("a volume that this process has deleted is made anew, though a late listing still shows it", async () => {
  const { provider, clock } = testWorld({ listLagMs: 20_000 }, { readAfterWriteMs: 60_000 });
  const first = await provider.createVolume({ key: "v", sizeBytes: 10e9 });
  expect((await provider.createVolume({ key: "v", sizeBytes: 10e9 })).id).toBe(first.id);
  await clock.sleep(25_000);
  await provider.deleteVolume(first.id);
  expect((await provider.createVolume({ key: "v", sizeBytes: 10e9 })).id).not.toBe(first.id);
});

test("spawns of one key at once in one process make one pod", async () => {
  const { provider, emulator } = testWorld({ listLagMs: 5_000, latencyMs: 50 }, { readAfterWriteMs: 5_000 });
  const made = await Promise.all([1, 2, 3, 4].map(() => provider.spawn({ key: "a", spec: GPU })));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(createsOf(emulator)).toHaveLength(1);
});

test("one of them that gives up holds nobody up, and has done nothing", async () => {
  const { provider, emulator, clock } = testWorld({ latencyMs: 1_000 });
  const hasty = new AbortController();
  const [first, second, third] = [
    provider.spawn({ key: "a", spec: GPU }),
    rejection(provider.spawn({ key: "a", spec: GPU, signal: hasty.signal })),
    provider.spawn({ key: "a", spec: GPU }),
  ];
  await clock.sleep(10);
  hasty.abort();
  expect(await second).toMatchObject({ code: "CANCELLED", effect: "none" });
  expect((await first).id).toBe((await third).id);
  expect(createsOf(emulator)).toHaveLength(1);
});

test("after an unclear create the same process waits until a listing must show it", async () => {
  const { provider, emulator, clock } = testWorld({ listLagMs: 5_000 }, { readAfterWriteMs: 5_000 });
  emulator.faults.add({ operation: "spawn", when: "after", row: "server-error" });
  const error = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(error).toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
  const begun = clock.now();
  const found = await provider.spawn({ key: "a", spec: GPU });
  expect(clock.now() - begun).toBeGreaterThanOrEqual(4_900);
  expect(emulator.pods().map(({ id }) => id)).toEqual([found.id]);
});

test.each([
  ["by this process, a moment after it was made", 0, false],
  ["by another process, long after", 120_000, true],
])("a pod that a late listing still shows, though it was ended %s, is not answered", async (_who, ageMs, elsewhere) => {
  const { provider, another, clock, emulator } = testWorld({ listLagMs: 20_000 }, { readAfterWriteMs: 60_000 });
  const first = await provider.spawn({ key: "a", spec: GPU });
  await clock.sleep(25_000 + ageMs);
  await (elsewhere ? another() : provider).terminate(first.id);
  await clock.sleep(2_000);
  // Made by whom nothing was told, and shown to be there still.
  expect((await provider.list()).map(({ id }) => id)).toEqual([first.id]);
  const second = await provider.spawn({ key: "a", spec: GPU });
  expect(second.id).not.toBe(first.id);
  expect(createsOf(emulator)).toHaveLength(2);
});

test("of a pod that another process has just made, a 404 is no proof", async () => {
  const { provider, another, clock, emulator } = testWorld({ freshNotFoundMs: 5_000 }, { readAfterWriteMs: 10_000 });
  const first = await provider.spawn({ key: "a", spec: GPU });
  await clock.sleep(1_000);
  expect((await another().spawn({ key: "a", spec: GPU })).id).toBe(first.id);
  expect(createsOf(emulator)).toHaveLength(1);
});

test("a pod of somebody else's with odd variables fails no listing", async () => {
  const { clock, emulator, another } = testWorld();
  emulator.addUnmanaged();
  const provider = another({
    runtime: {
      clock,
      fetch: async (input, init) => {
        const response = await emulator.fetch(input, init);
        const text = (await response.text()).replaceAll('"env":{}', '"env":{"A":null,"B":7,"SLIPWAY_KEY":"{"}');
        return new Response(text === "" ? null : text, response);
      },
    },
  });
  const { id } = await provider.spawn({ key: "a", spec: GPU });
  expect((await provider.list({ owner: "*" })).map((each) => each.id)).toEqual([id]);
});

test("an unmanaged machine of our name is CONFLICT and stays", async () => {
  const { provider, emulator } = testWorld();
  const unmanaged = emulator.addUnmanaged(nameFor("tests", "a"));
  const error = await rejection(provider.spawn({ key: "a", spec: GPU }));
  expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: unmanaged } });
  for (const call of [provider.terminate, provider.stop]) {
    expect(await rejection(call(unmanaged))).toMatchObject({ code: "CONFLICT", effect: "none" });
  }
  expect(emulator.pods().find(({ id }) => id === unmanaged)?.deletedAt).toBeNull();
});
