import type { Offering, OfferingMethods, Provider } from "@slipway/core";
import { newWorld, plainProvider, type World } from "./scripted-provider.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface Cloud {
  readonly world: World;
  readonly provider: Provider & OfferingMethods;
  offerings: readonly Offering[];
}

export function offering(usdPerHour: number | undefined, more: Partial<Offering> = {}): Offering {
  const asOf = "2026-01-01T00:00:00.000Z";
  return {
    spec: "big",
    resources: { cpus: 8, memoryBytes: 64e9, gpus: { type: "NVIDIA A100", count: 1 } },
    ...(usdPerHour === undefined ? {} : { price: { usdPerHour, per: "instance", asOf, source: "live" } }),
    ...more,
  };
}

/** A remote that sells something. */
export function cloudOf(name: string, clock: SimulatedClock, usdPerHour: number, owner = "tests"): Cloud {
  const world = newWorld(clock);
  const cloud: Cloud = {
    world,
    offerings: [offering(usdPerHour)],
    provider: { ...plainProvider(world, owner), name, listOfferings: async () => cloud.offerings },
  };
  return cloud;
}
