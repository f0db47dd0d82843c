import type { CapabilitiesOf, Instance, Provider, Snapshot, Supporting } from "@slipway/core";
import { describe, expectTypeOf, test } from "vitest";
import type { AWSInstance, AWSSnapshot, AwsProvider } from "../src/index.ts";

declare const provider: AwsProvider;

describe("the type of the provider", () => {
  test("has all capabilities but idempotentSpawn and tailscaleNative", () => {
    expectTypeOf<Exclude<keyof AwsProvider["capabilities"], CapabilitiesOf<AwsProvider>>>().toEqualTypeOf<
      "idempotentSpawn" | "tailscaleNative"
    >();
    expectTypeOf<AwsProvider>().toExtend<Provider>();
    expectTypeOf<AwsProvider>().toExtend<Provider<Instance, Snapshot, "snapshots" | "spot" | "hibernation">>();
    expectTypeOf<AwsProvider>().toExtend<Supporting<Provider, "persistentVolumes">>();
  });

  test("takes the options of its capabilities, and no others", () => {
    expectTypeOf(provider.spawn).toBeCallableWith({
      spec: "m5.large",
      spot: {},
      region: "us-east-1",
      warmVolume: "data",
    });
    // @ts-expect-error EC2 joins no tailnet by itself
    void provider.spawn({ tailscale: { authKey: "k" } });
    const misspelt = { spec: "m5.large", hibernate: true };
    // @ts-expect-error also where the options are held in a variable
    void provider.spawn({ ...misspelt, tailscale: { authKey: "k" } });
  });

  test("answers its own instances and snapshots, and places that spawn takes", () => {
    expectTypeOf(provider.get).returns.resolves.toEqualTypeOf<AWSInstance | null>();
    expectTypeOf(provider.hibernate).returns.resolves.toEqualTypeOf<AWSInstance>();
    expectTypeOf(provider.createSnapshot).returns.resolves.toEqualTypeOf<AWSSnapshot>();
    expectTypeOf<Awaited<ReturnType<typeof provider.placements>>[number]>().toExtend<
      Parameters<typeof provider.spawn>[0]
    >();
  });
});
