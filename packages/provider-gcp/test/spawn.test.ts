import { describe, expect, test } from "vitest";
import { API_VERSION } from "../src/client.ts";
import { failure, gcpWorld } from "./world.ts";

const alive = ({ emulator }: ReturnType<typeof gcpWorld>) => emulator.control.instances().filter(({ live }) => live);

describe("one insert", () => {
  test("asks for the pinned version, writes ownership in the call, and makes a disk that nobody has", async () => {
    const { provider, sent } = gcpWorld();
    await provider.spawn({ key: "job", labels: { Team: "Ä" }, name: "Training" });
    const insert = sent.find(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(insert?.headers.get("x-goog-api-version")).toBe(API_VERSION);
    expect(insert?.query.get("requestId")).toMatch(/^[0-9a-f-]{36}$/);
    expect(insert?.query.has("returnPartialSuccess")).toBe(false);
    expect(insert?.body["labels"]).toEqual({
      "slipway-owner": "tests",
      "slipway-key": expect.stringMatching(/^[a-z2-7]{52}$/),
    });
    const disks = insert?.body["disks"] as readonly [{ readonly initializeParams: { readonly diskName: string } }];
    expect(disks).toMatchObject([{ boot: true, autoDelete: true }]);
    expect(disks[0].initializeParams.diskName).not.toBe(insert?.body["name"]);
  });

  test("is repeated under the same request id where its answer is lost, and makes one instance", async () => {
    const world = gcpWorld();
    world.emulator.control.faults.add({ operation: "spawn", when: "reply-lost" });
    const { id } = await world.provider.spawn({ key: "job" });
    const ids = world.sent.filter(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(new Set(ids.map(({ query }) => query.get("requestId"))).size).toBe(1);
    expect(ids).toHaveLength(2);
    expect(alive(world).map(({ nativeId }) => nativeId)).toEqual([id.slice(id.lastIndexOf("/") + 1)]);
  });

  test("has another request id for the next incarnation of the key", async () => {
    const { provider, sent } = gcpWorld();
    const first = await provider.spawn({ key: "job" });
    await provider.terminate(first.id);
    const second = await provider.spawn({ key: "job" });
    expect(second.nativeId).not.toBe(first.nativeId);
    const ids = sent.filter(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(new Set(ids.map(({ query }) => query.get("requestId"))).size).toBe(ids.length);
    expect(await provider.get(first.id)).toBeNull();
  });

  test("goes to the same zone in every process, whatever the spec, unless the caller says one", async () => {
    const { provider, another } = gcpWorld();
    const first = await provider.spawn({ key: "job" });
    const other = await failure(another().spawn({ key: "job", spec: "e2-standard-4" }));
    expect(other).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: first.id } });
    const chosen = await provider.spawn({ key: "else", zone: "europe-west1-d" });
    expect(chosen).toMatchObject({ zone: "europe-west1-d", region: "europe-west1" });
    expect(await failure(provider.spawn({ zone: "asia-east1-a" }))).toMatchObject({ code: "INVALID_SPEC" });
  });
});

describe("an operation that ends badly", () => {
  test("leaves nothing of a stockout, and says so", async () => {
    const world = gcpWorld();
    world.emulator.control.setCapacity("e2-medium", "us-central1-a", 0);
    const error = await failure(world.provider.spawn({ key: "job", zone: "us-central1-a" }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", scope: "placement", effect: "none" });
    expect(error.native?.code).toBe("ZONE_RESOURCE_POOL_EXHAUSTED");
    expect(alive(world)).toEqual([]);
  });

  test("says of a quota which region it is of", async () => {
    const { provider } = gcpWorld({ instanceQuota: 1 });
    await provider.spawn({ region: "us-central1" });
    const error = await failure(provider.spawn({ region: "us-central1" }));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", scope: "region", effect: "none" });
    await provider.spawn({ region: "europe-west1" });
  });

  test.each([
    { what: "Google takes it back", code: "SPOT_INTERRUPTED" },
    { what: "somebody deletes it", code: "BUSY" },
  ])("says $code where $what as soon as it was made", async ({ code }) => {
    const world = gcpWorld();
    const { emulator } = world;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const answer = await emulator.fetch(input, init);
      if (!String(input).endsWith("/wait")) return answer;
      const nativeId = emulator.control.instances()[0]?.nativeId ?? "";
      if (code === "BUSY") await world.provider.terminate(nativeId);
      else emulator.control.preempt(nativeId);
      return answer;
    };
    const provider = world.another({ runtime: { clock: emulator.clock, fetch } });
    expect(await failure(provider.spawn({ key: "job", spot: {} }))).toMatchObject({ code, effect: "applied" });
  });

  test("has the stopped machine of a preempted start removed before the error is thrown", async () => {
    const world = gcpWorld();
    world.emulator.control.faults.add({ operation: "spawn", when: "before", row: "op-preempted" });
    const error = await failure(world.provider.spawn({ key: "job", spot: {} }));
    expect(error).toMatchObject({ code: "SPOT_INTERRUPTED", scope: "capacity-type", effect: "none" });
    expect(alive(world)).toEqual([]);
    expect((await world.provider.spawn({ key: "job", spot: {} })).status).toBe("running");
  });

  test("is applied where what it left cannot be removed", async () => {
    const world = gcpWorld();
    world.emulator.control.faults.add({ operation: "spawn", when: "before", row: "op-preempted" });
    world.emulator.control.faults.add({ operation: "terminate", when: "before", row: "forbidden" });
    const error = await failure(world.provider.spawn({ key: "job", spot: {} }));
    expect(error).toMatchObject({ code: "SPOT_INTERRUPTED", effect: "applied" });
    expect(await world.provider.list({ keys: ["job"] })).toMatchObject([{ status: "stopped" }]);
  });

  test("that cannot be read is not taken for a failure: no second instance", async () => {
    const world = gcpWorld({ operationLagMs: 3_000, waitReturnsEarly: true });
    await world.provider.spawn({ key: "job" });
    expect(alive(world)).toHaveLength(1);
  });

  test("whose name was taken meanwhile leads to the other process's instance", async () => {
    const world = gcpWorld({ conflictInOperation: true, listLagMs: 4_000 });
    const [first, second] = await Promise.all([
      world.provider.spawn({ key: "job" }),
      world.another().spawn({ key: "job" }),
    ]);
    expect(first.id).toBe(second.id);
    expect(alive(world)).toHaveLength(1);
  });
});

describe("spot", () => {
  test("is refused where the price is above the cap, and where it is not known", async () => {
    const { provider } = gcpWorld();
    const dear = await failure(provider.spawn({ spec: "e2-standard-4", spot: { maxUsdPerHour: 0.01 } }));
    expect(dear).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(dear.message).toContain("0.04");
    expect(await failure(provider.spawn({ spec: "c3-standard-4", spot: { maxUsdPerHour: 9 } }))).toMatchObject({
      code: "INVALID_SPEC",
    });
    expect((await provider.spawn({ spec: "e2-standard-4", spot: { maxUsdPerHour: 0.05 } })).isSpot).toBe(true);
  });
});

describe("gpu", () => {
  test.each(["a100", "NVIDIA A100", "gpu_1x_a100", "A100 40GB"])("%s is one thing by any name", async (type) => {
    const { provider } = gcpWorld();
    expect((await provider.spawn({ gpu: { type, count: 1 } })).spec).toBe("a2-highgpu-1g");
  });

  test("takes machine types that have them, and attaches the others to N1", async () => {
    const { provider, sent } = gcpWorld();
    const builtIn = await provider.spawn({ gpu: { type: "l4", count: 2 } });
    expect(builtIn).toMatchObject({ spec: "g2-standard-24", resources: { gpus: { type: "nvidia-l4", count: 2 } } });
    const attached = await provider.spawn({ gpu: { type: "t4", count: 2 } });
    expect(attached).toMatchObject({
      spec: "n1-standard-4",
      resources: { gpus: { type: "nvidia-tesla-t4", count: 2 } },
    });
    const [first, second] = sent.filter(({ method, path }) => method === "POST" && path.endsWith("/instances"));
    expect(first?.body["guestAccelerators"]).toBeUndefined();
    expect(second?.body["scheduling"]).toMatchObject({ onHostMaintenance: "TERMINATE" });
    expect(await failure(provider.spawn({ gpu: { type: "l4", count: 3 } }))).toMatchObject({ code: "INVALID_SPEC" });
  });

  test("resources choose a custom type", async () => {
    const { provider } = gcpWorld();
    const made = await provider.spawn({
      resources: { cpus: 3, memoryBytes: 5 * 1024 ** 3, diskBytes: 20 * 1024 ** 3 },
    });
    expect(made).toMatchObject({
      spec: "e2-custom-4-5120",
      resources: { cpus: 4, memoryBytes: 5 * 1024 ** 3, diskBytes: 20 * 1024 ** 3 },
    });
  });
});
