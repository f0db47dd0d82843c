import {
  type Capability,
  capabilityDefinitionsOf,
  defineCapability,
  type Instance,
  type Provider,
} from "@slipway/core";
import { expect, test } from "vitest";
import { type Driver, providerFromDriver } from "../../src/driver/index.ts";

const pausing = defineCapability({
  // No package has merged it into CapabilityMap here, so its name must be asserted.
  name: "pausing" as Capability,
  description: "Pauses an instance.",
  options: {},
  methods: { pause: "plain" },
  cases: [],
});

type PausingProvider = Provider & { readonly pause: (id: string) => Promise<string> };

function pausingProvider(): PausingProvider {
  const driver: Driver<string, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: () => true,
    identify: (id) => ({ id, status: "running", ownership: { owner: "o", key: id, specHash: "h", labels: {} } }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      yield ["a"];
    },
    get: async (_, id) => (id === "a" ? id : null),
    prepare: () => undefined,
    create: async (_, { key }) => ({ machine: key }),
    destroy: async () => "gone",
  };
  // Its flag is one more, which the type does not know of.
  const capabilities = { pausing: true };
  return providerFromDriver<PausingProvider, string, unknown>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities,
    capabilityDefinitions: [pausing],
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: 0, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    methods: ({ lifeCycle }) => ({ pause: (id) => lifeCycle.managed({ operation: "pause" }, id) }),
  }).provider;
}

test("a third party's capability has its description, and its methods use the life cycle", async () => {
  const provider = pausingProvider();
  expect(capabilityDefinitionsOf(provider)).toEqual([pausing]);
  expect(await provider.pause("a")).toBe("a");
  await expect(provider.pause("b")).rejects.toMatchObject({ code: "NOT_FOUND", operation: "pause" });
});
