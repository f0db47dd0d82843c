import type { CapabilitiesOf, Instance, Provider, Snapshot, Supporting } from "@slipway/core";
import { describe, expectTypeOf, test } from "vitest";
import type { LambdaInstance, LambdaProvider } from "../src/index.ts";

declare const provider: LambdaProvider;

describe("the type of the provider", () => {
  test("has gpu, multiRegion and persistentVolumes, and nothing else", () => {
    expectTypeOf<CapabilitiesOf<LambdaProvider>>().toEqualTypeOf<"gpu" | "multiRegion" | "persistentVolumes">();
    expectTypeOf<LambdaProvider>().toExtend<Provider>();
    expectTypeOf<LambdaProvider>().toExtend<Provider<Instance, Snapshot, "gpu" | "persistentVolumes">>();
    expectTypeOf<LambdaProvider>().not.toExtend<Provider<Instance, Snapshot, "spot">>();
    expectTypeOf<LambdaProvider>().not.toExtend<Supporting<Provider, "idempotentSpawn">>();
  });

  test("takes the options of its capabilities, and no others", () => {
    expectTypeOf(provider.spawn).toBeCallableWith({ gpu: { type: "a10", count: 1 }, region: "us-west-1" });
    // @ts-expect-error Lambda sells no interruptible capacity
    void provider.spawn({ spot: {} });
    // @ts-expect-error it has no snapshots
    void provider.createSnapshot;
    const smuggled = { spec: "gpu_1x_a10", hibernation: true };
    // @ts-expect-error also where the options are held in a variable
    void provider.spawn(smuggled);
  });

  test("answers its own instances, and places that spawn takes", () => {
    expectTypeOf(provider.get).returns.resolves.toEqualTypeOf<LambdaInstance | null>();
    expectTypeOf<Awaited<ReturnType<typeof provider.placements>>[number]>().toExtend<
      Parameters<typeof provider.spawn>[0]
    >();
  });
});
