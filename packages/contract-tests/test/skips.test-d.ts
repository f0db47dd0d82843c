import { expectTypeOf, test } from "vitest";
import type { HarnessFactory } from "../src/harness.ts";
import type { CaseId, Skip, SkippableCaseId } from "../src/index.ts";
import { describeProviderContract } from "../src/vitest.ts";

declare const harness: HarnessFactory;
const why = { reason: "because", reviewBy: "2026-12-31" };

test("a skip names a case that exists", () => {
  expectTypeOf<{ id: "regions.filter"; reason: string; reviewBy: string }>().toExtend<Skip>();
  describeProviderContract("x", harness, { skips: [{ id: "effect.spawn-answer-lost", ...why }] });
  // @ts-expect-error a typo
  describeProviderContract("x", harness, { skips: [{ id: "effect.spawn-anser-lost", ...why }] });
  // @ts-expect-error a skip needs a reason
  describeProviderContract("x", harness, { skips: [{ id: "regions.filter", reviewBy: "2026-12-31" }] });
  // @ts-expect-error a skip needs a review date
  describeProviderContract("x", harness, { skips: [{ id: "regions.filter", reason: "because" }] });
});

test("what every provider owes cannot be skipped", () => {
  expectTypeOf<"spawn.shape">().toExtend<CaseId>();
  expectTypeOf<"spawn.shape">().not.toExtend<SkippableCaseId>();
  expectTypeOf<"identity.owner">().not.toExtend<SkippableCaseId>();
  expectTypeOf<"bootstrap.nul">().not.toExtend<SkippableCaseId>();
  // @ts-expect-error the group key cannot be skipped
  const skip: Skip = { id: "key.same-spec", ...why };
  expectTypeOf(skip).toEqualTypeOf<Skip>();
});

test("capabilities are not an option: the provider alone says them", () => {
  // @ts-expect-error there is no such option
  describeProviderContract("x", harness, { capabilities: { spot: false } });
});
