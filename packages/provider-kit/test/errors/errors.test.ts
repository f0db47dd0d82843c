import { ProviderError } from "@slipway/core";
import { expect, expectTypeOf, test } from "vitest";
import { refusals, withEffect } from "../../src/errors/index.ts";

const refusal = refusals("acme");

test("a refusal has the provider's name, no effect, and nothing that was not said", () => {
  const error = refusal("INVALID_SPEC", "spawn", "spec is no machine type");
  expectTypeOf(error).toEqualTypeOf<ProviderError<"INVALID_SPEC">>();
  expect(error.toJSON()).toEqual({
    name: "ProviderError",
    code: "INVALID_SPEC",
    category: "validation",
    retryable: false,
    scope: "request",
    provider: "acme",
    operation: "spawn",
    effect: "none",
    exhausted: false,
    message: "spec is no machine type",
  });
});

test("a refusal says what it is told", () => {
  const cause = new Error("why");
  const details = { effect: "applied", scope: "region", retryAfterMs: 5, hint: "Wait.", cause } as const;
  const error = refusal("BUSY", "terminate", "not yet", { ...details, native: { code: "Wait" }, nativeId: "i-1" });
  expect(error).toMatchObject({ ...details, native: { code: "Wait", id: "i-1" } });
});

test("another effect changes nothing else", () => {
  const error = new ProviderError("RATE_LIMIT_ERROR", {
    message: "too many",
    provider: "acme",
    operation: "spawn",
    effect: "unknown",
    scope: "region",
    retryAfterMs: 7,
    exhausted: true,
    native: { status: 429 },
    hint: "Wait.",
    cause: new Error("why"),
  });
  expect(withEffect(error, "unknown")).toBe(error);
  const applied = withEffect(error, "applied");
  expect(applied.toJSON()).toEqual({ ...error.toJSON(), effect: "applied" });
  expect(applied.cause).toBe(error.cause);
});

test("another message keeps the error that it came from", () => {
  const error = refusal("TIMEOUT", "spawn", "no answer", { effect: "unknown", retryAfterMs: 3 });
  const told = withEffect(error, "applied", "the instance is there, but: no answer");
  expect(told).toMatchObject({ code: "TIMEOUT", effect: "applied", retryAfterMs: 3, cause: error });
  expect(told.message).toBe("the instance is there, but: no answer");
});
