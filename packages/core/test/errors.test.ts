import { inspect } from "node:util";
import { describe, expect, it, vi } from "vitest";
import {
  abortError,
  ERROR_CODES,
  ERROR_SCOPES,
  type ErrorCode,
  isProviderError,
  mayRepeat,
  ProviderError,
  type ProviderErrorDetails,
} from "../src/index.ts";

const details: ProviderErrorDetails = { message: "it failed", provider: "p", operation: "spawn", effect: "none" };

// Written out by hand from the contract, so that a slip in the table shows.
const TABLE: readonly (readonly [ErrorCode, string, boolean, string])[] = [
  ["CAPACITY_ERROR", "capacity", true, "placement"],
  ["SPOT_INTERRUPTED", "capacity", true, "placement"],
  ["QUOTA_EXCEEDED", "capacity", false, "account"],
  ["AUTH_ERROR", "auth", false, "account"],
  ["RATE_LIMIT_ERROR", "rate_limit", true, "account"],
  ["INVALID_SPEC", "validation", false, "request"],
  ["NOT_FOUND", "not_found", false, "request"],
  ["CONFLICT", "conflict", false, "request"],
  ["INVALID_STATE", "conflict", false, "request"],
  ["BUSY", "conflict", true, "request"],
  ["UNSUPPORTED", "validation", false, "provider"],
  ["TIMEOUT", "transient", true, "provider"],
  ["NETWORK", "transient", true, "provider"],
  ["UNAVAILABLE", "transient", true, "provider"],
  ["CANCELLED", "cancelled", false, "request"],
  ["INTERNAL", "internal", false, "provider"],
];

describe("the error table", () => {
  it("has these codes and no other", () => {
    expect(Object.keys(ERROR_CODES).sort()).toEqual(TABLE.map(([code]) => code).sort());
  });

  it.each(TABLE)("%s is %s, retryable %s, scope %s", (code, category, retryable, scope) => {
    const error = new ProviderError(code, details);
    expect(error).toMatchObject({ code, category, retryable, scope, exhausted: false });
    expect(ERROR_SCOPES).toContain(error.scope);
  });
});

describe("ProviderError", () => {
  it("is an Error with its message, its cause, and the scope that was set", () => {
    const cause = new Error("socket hang up");
    const error = new ProviderError("NETWORK", { ...details, scope: "region", exhausted: true, cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "ProviderError", message: "it failed", scope: "region", exhausted: true });
    expect(error.cause).toBe(cause);
    expect("retryAfterMs" in error || "native" in error || "hint" in error).toBe(false);
    expect("cause" in new ProviderError("NETWORK", details)).toBe(false);
  });

  it("is plain data in JSON, without cause and stack", () => {
    const secret = "sk-live-1234";
    const cause = new Error(`401 for ${secret}`);
    const error = new ProviderError("RATE_LIMIT_ERROR", {
      ...details,
      retryAfterMs: 1500,
      native: { status: 429, code: "Throttled", requestId: "r" },
      hint: "Wait.",
      cause,
    });
    const text = JSON.stringify({ error });
    expect(text).not.toContain(secret);
    expect(text).not.toContain("stack");
    expect(JSON.parse(text)).toEqual({
      error: {
        name: "ProviderError",
        code: "RATE_LIMIT_ERROR",
        category: "rate_limit",
        retryable: true,
        scope: "account",
        provider: "p",
        operation: "spawn",
        effect: "none",
        exhausted: false,
        message: "it failed",
        retryAfterMs: 1500,
        native: { status: 429, code: "Throttled", requestId: "r" },
        hint: "Wait.",
      },
    });
  });

  it("shows no marker to who prints or copies it", () => {
    const error = new ProviderError("BUSY", details);
    expect(inspect(error)).not.toContain("slipway.ProviderError");
    expect(isProviderError({ ...error })).toBe(false);
  });
});

describe("isProviderError", () => {
  it("knows an error of another copy of the module", async () => {
    vi.resetModules();
    const copy = await import("../src/index.ts");
    const error: unknown = new copy.ProviderError("BUSY", details);
    expect(error).not.toBeInstanceOf(ProviderError);
    expect(isProviderError(error)).toBe(true);
    expect(isProviderError(error, "BUSY")).toBe(true);
    expect(isProviderError(error, "CONFLICT")).toBe(false);
  });

  it("asks for one of the codes, if any are given", () => {
    const error: unknown = new ProviderError("BUSY", details);
    expect(isProviderError(error)).toBe(true);
    expect(isProviderError(error, "CONFLICT", "BUSY")).toBe(true);
    expect(isProviderError(error, "CONFLICT", "TIMEOUT")).toBe(false);
  });

  it.each([undefined, null, "BUSY", 5, {}, new Error("e"), { name: "ProviderError", code: "BUSY" }, [[]]])(
    "is false for %j",
    (value) => {
      expect(isProviderError(value)).toBe(false);
      expect(isProviderError(value, "BUSY")).toBe(false);
    },
  );
});

describe("mayRepeat", () => {
  const plain = { capabilities: { idempotentSpawn: false } };
  const idempotent = { capabilities: { idempotentSpawn: true } };
  const failed = (code: ErrorCode, effect: "none" | "applied" | "unknown", exhausted = false): ProviderError =>
    new ProviderError(code, { ...details, effect, exhausted });

  it.each(TABLE)("%s with no effect follows retryable", (code, _category, retryable) => {
    expect(mayRepeat(failed(code, "none"), plain)).toBe(retryable);
    expect(mayRepeat(failed(code, "none"), idempotent)).toBe(retryable);
  });

  it.each(["applied", "unknown"] as const)(
    "after an effect that is %s only an idempotent spawn is sent again",
    (effect) => {
      expect(mayRepeat(failed("TIMEOUT", effect), plain)).toBe(false);
      expect(mayRepeat(failed("TIMEOUT", effect), idempotent)).toBe(true);
      expect(mayRepeat(failed("CONFLICT", effect), idempotent)).toBe(false);
    },
  );

  it("never repeats what was retried in vain, nor what it does not know", () => {
    expect(mayRepeat(failed("TIMEOUT", "none", true), idempotent)).toBe(false);
    expect(mayRepeat(new Error("e"), idempotent)).toBe(false);
    expect(mayRepeat({ retryable: true, effect: "none" }, idempotent)).toBe(false);
  });
});

describe("abortError", () => {
  const at = { provider: "p", operation: "spawn", effect: "unknown" } as const;

  it("is CANCELLED for a caller who gave up, and keeps the reason to itself", () => {
    const reason = new Error("user pressed ctrl-c with token t0p");
    const error = abortError(AbortSignal.abort(reason), at);
    expect(error).toMatchObject({ code: "CANCELLED", effect: "unknown", retryable: false, cause: reason });
    expect(JSON.stringify(error)).not.toContain("t0p");
  });

  it("is TIMEOUT where the reason is a TimeoutError", () => {
    const error = abortError(AbortSignal.abort(new DOMException("late", "TimeoutError")), at);
    expect(error).toMatchObject({ code: "TIMEOUT", effect: "unknown", retryable: true });
  });

  it.each(["stop", 5, null, { name: 5 }, undefined])("is CANCELLED for the reason %j", (reason) => {
    expect(abortError(AbortSignal.abort(reason), at).code).toBe("CANCELLED");
  });
});
