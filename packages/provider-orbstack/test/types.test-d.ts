import type { CapabilitiesOf, ExecMethods, Instance, LogMethods, Provider, Snapshot } from "@slipway/core";
import { type ChaosPlan, chaos, type DriftWorld } from "@slipway/provider-orbstack/chaos";
import { describe, expectTypeOf, test } from "vitest";
import type { FileMethods, OrbstackInstance, OrbstackProvider, OrbstackSnapshot } from "../src/index.ts";

declare const provider: OrbstackProvider;
declare const world: DriftWorld;
declare const plan: ChaosPlan;

describe("the type of the provider", () => {
  test("has snapshots and idempotentSpawn, and nothing else", () => {
    expectTypeOf<CapabilitiesOf<OrbstackProvider>>().toEqualTypeOf<"idempotentSpawn" | "snapshots">();
    expectTypeOf<OrbstackProvider>().toExtend<Provider>();
    expectTypeOf<OrbstackProvider>().toExtend<Provider<Instance, Snapshot, "snapshots">>();
    expectTypeOf<OrbstackProvider>().not.toExtend<Provider<Instance, Snapshot, "hibernation">>();
    expectTypeOf<OrbstackProvider>().toExtend<ExecMethods & LogMethods & FileMethods>();
  });

  test("takes the options of its capabilities, and no others", () => {
    expectTypeOf(provider.spawn).toBeCallableWith({ key: "k", fromSnapshot: "s", resources: { diskBytes: 1 } });
    // @ts-expect-error there are no regions
    void provider.spawn({ region: "us" });
    const smuggled = { key: "k", volumes: [] };
    // @ts-expect-error also where the options are held in a variable
    void provider.spawn(smuggled);
    // @ts-expect-error a machine cannot be suspended
    void provider.hibernate;
  });

  test("answers its own instances and snapshots", () => {
    expectTypeOf(provider.get).returns.resolves.toEqualTypeOf<OrbstackInstance | null>();
    expectTypeOf(provider.createSnapshot).returns.resolves.toEqualTypeOf<OrbstackSnapshot>();
  });

  test("chaos keeps it, and wants a world for drift", () => {
    expectTypeOf(chaos(provider, { seed: 1, plan, world })).toEqualTypeOf<OrbstackProvider>();
    // @ts-expect-error drift without a world
    chaos(provider, { seed: 1, plan });
  });
});
