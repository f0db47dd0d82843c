import { type Instance, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { type Driver, providerFromDriver, Undone } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

const refused = new ProviderError("INVALID_SPEC", {
  provider: "t",
  operation: "spawn",
  effect: "none",
  message: "it can never start",
});

/** A remote that accepts everything, and whose second half of a spawn fails. */
function providerWith(thrown: unknown): Provider {
  const things = new Set<string>();
  const driver: Driver<string, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: () => true,
    identify: (id) => ({ id, status: "running", ownership: { owner: "o", key: id, specHash: "h", labels: {} } }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      yield [...things];
    },
    get: async (_, id) => (things.has(id) ? id : null),
    prepare: () => undefined,
    create: async (_, { key }) => (things.add(key), { machine: key }),
    finish: async (_, id) => {
      if (thrown instanceof Undone) things.delete(id);
      throw thrown;
    },
    destroy: async (_, id) => (things.delete(id) ? "accepted" : "gone"),
  };
  return providerFromDriver<Provider, string, unknown>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: {},
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: 5_000, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    methods: () => ({}),
    runtime: { clock: simulatedClock() },
  }).provider;
}

test("what was created stays so where its second half fails", async () => {
  await expect(providerWith(refused).spawn({ key: "a" })).rejects.toMatchObject({ effect: "applied" });
});

test("a creation that its driver has undone has no effect, and nothing remembers it", async () => {
  const provider = providerWith(new Undone(refused));
  await expect(provider.spawn({ key: "a" })).rejects.toBe(refused);
  expect(await provider.get("a")).toBeNull();
});
