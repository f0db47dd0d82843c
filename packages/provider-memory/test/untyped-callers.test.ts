import { isProviderError, operationTable } from "@slipway/core";
import { memory, memoryCluster, memoryWorld } from "@slipway/provider-memory";
import { expect, test } from "vitest";

// What somebody without types, or data from a file, may hand in.
const GARBAGE: readonly unknown[] = [
  undefined,
  null,
  7,
  "x",
  {},
  [],
  [null],
  { key: 5, name: 5 },
  { key: "k", sizeBytes: "1", pool: 5, zone: {} },
  { key: "k", sizeBytes: 1, region: 7, zone: 7, pool: "p" },
  { ids: 5, keys: "a", owner: 7, specs: "x", regions: "y", instanceId: 3 },
  { regions: [7], specs: [""] },
  { pool: "p", instanceId: 5 },
  { from: 5, to: {} },
  { colour: "blue" },
];
const ID = "mem-east-1/mem-000000000000";
const METHODS = Object.keys(operationTable()).filter((method) => method !== "createSnapshot");
const CLUSTER_METHODS = ["provision", "listNodes", "deleteNodes", "getApiServerEndpoint", "execInContainer"];

const world = memoryWorld();
const provider = memory({ owner: "ci", world });
const cluster = memoryCluster({ owner: "ci", world });

test.each([
  ...METHODS.map((method) => [method, provider, []] as const),
  ["createSnapshot", provider, [ID]] as const,
  ...CLUSTER_METHODS.map((method) => [method, cluster, []] as const),
  ["execInContainer", cluster, ["memnode-000000000000"]] as const,
])("%s refuses garbage as the caller's fault, before anything is done", async (method, subject, before) => {
  for (const garbage of GARBAGE) {
    const changes = world.changes;
    const call: unknown = Reflect.get(subject, method);
    if (typeof call !== "function") throw new Error(`there is no ${method}`);
    const error: unknown = await Promise.resolve()
      .then(() => Reflect.apply(call, undefined, [...before, garbage]) as unknown)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    if (error === undefined) continue;
    expect(isProviderError(error), `${method}(${JSON.stringify(garbage)})`).toBe(true);
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(INVALID_SPEC|NOT_FOUND)$/) as string,
      effect: "none",
    });
    expect(world.changes).toBe(changes);
  }
});

test("a filter that nobody reads is refused, not ignored", async () => {
  for (const call of [
    () => provider.listVolumes({ zone: "mem-east-1a" } as object),
    () => provider.listSnapshots({ keys: ["k"] } as object),
    () => provider.getSpotPrices({ zones: ["mem-east-1a"] } as object),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: "INVALID_SPEC" });
  }
});
