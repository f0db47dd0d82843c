import type { HarnessFactory } from "@slipway/contract-tests";
import { memory, memoryErrorTable, memoryWorld, register } from "@slipway/provider-memory";

export const harness: HarnessFactory = async () => {
  const world = memoryWorld(); // the emulator: a fresh one for every case
  const owner = "contract-tests";
  return {
    registration: await register({ world }, { owner, variables: {} }),
    spawnOptions: () => ({ spec: "m1.small" }), // a request that works
    capabilityOptions: { gpu: { spec: "g1.one", gpu: { count: 1 } } }, // where the plain request will not do
    another: async (options) => memory({ owner: options?.owner ?? owner, world }), // another process
    inspector: { instances: async () => world.instances() }, // never through the provider
    faults: { ...world.faults, supports: ({ code }) => code !== "CANCELLED" && code !== "UNSUPPORTED" },
    errorTable: memoryErrorTable,
    clock: world.clock,
    unknownId: "mem-east-1/mem-000000000000",
    secrets: [],
    close: async () => undefined,
  };
};
