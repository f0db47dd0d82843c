import type { Instance, Provider, Snapshot } from "@slipway/core";
import { type ChaosPlan, type ChaosPlanWithoutDrift, chaos, type DriftWorld } from "@slipway/provider-kit/chaos";
import { expectTypeOf, test } from "vitest";
import type { TinyProvider } from "./tiny-provider.ts";

declare const provider: TinyProvider;
declare const world: DriftWorld;
declare const anyPlan: ChaosPlan;
declare const calm: ChaosPlanWithoutDrift;

test("the exact type stays", () => {
  expectTypeOf(chaos(provider, { seed: 1, plan: {} })).toEqualTypeOf<TinyProvider>();
  type Enhanced = Provider<Instance & { readonly extra: string }, Snapshot, "gpu"> & { readonly own: () => number };
  expectTypeOf<typeof chaos<Enhanced>>().returns.toEqualTypeOf<Enhanced>();
});

test("drift needs a world", () => {
  chaos(provider, { seed: 1, plan: { drift: [{ operation: "*", action: "stop" }] }, world });
  // @ts-expect-error a plan with drift, and no world that drifts
  chaos(provider, { seed: 1, plan: { drift: [{ operation: "*", action: "stop" }] } });
  chaos(provider, { seed: 1, plan: anyPlan, world });
  // @ts-expect-error a plan from a variable that may have drift
  chaos(provider, { seed: 1, plan: anyPlan });
  chaos(provider, { seed: 1, plan: calm });
});

test("a fault says what it is", () => {
  chaos(provider, { seed: 1, plan: { faults: [{ operation: "spawn", when: "before", code: "BUSY" }] } });
  // @ts-expect-error an error needs its code
  chaos(provider, { seed: 1, plan: { faults: [{ operation: "spawn", when: "before" }] } });
  // @ts-expect-error a delay needs its time
  chaos(provider, { seed: 1, plan: { faults: [{ operation: "spawn", when: "delayed" }] } });
  // @ts-expect-error no code of the taxonomy
  chaos(provider, { seed: 1, plan: { faults: [{ operation: "spawn", when: "after", code: "OOPS" }] } });
});
