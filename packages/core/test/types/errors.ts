// Category and retryability follow from the code.
import { type AnyProviderError, abortError, type ErrorCode, isProviderError, ProviderError } from "@slipway/core";
import { same } from "./same.ts";

const at = { message: "m", provider: "p", operation: "spawn", effect: "none" } as const;

export function narrowing(error: unknown): void {
  if (!isProviderError(error)) return;
  same<typeof error, AnyProviderError>();
  if (error.code === "QUOTA_EXCEEDED") {
    same<typeof error.retryable, false>();
    same<typeof error.category, "capacity">();
  }
  if (error.retryable) {
    const code:
      | "CAPACITY_ERROR"
      | "SPOT_INTERRUPTED"
      | "RATE_LIMIT_ERROR"
      | "BUSY"
      | "TIMEOUT"
      | "NETWORK"
      | "UNAVAILABLE" = error.code;
    void code;
    // @ts-expect-error none of those is CONFLICT
    if (error.code === "CONFLICT") return;
  }
}

export function byCode(error: unknown): void {
  if (isProviderError(error, "CONFLICT", "BUSY")) same<typeof error.code, "CONFLICT" | "BUSY">();
  // @ts-expect-error unknown code
  isProviderError(error, "capacity");
}

same<ProviderError<"TIMEOUT">["retryable"], true>();
export const any: ProviderError = new ProviderError("BUSY", at);
export const code: ErrorCode = any.code;
export const aborted: ProviderError<"TIMEOUT"> | ProviderError<"CANCELLED"> = abortError(AbortSignal.abort(), at);
// @ts-expect-error effect has no default: only the place of the call knows
new ProviderError("BUSY", { message: "m", provider: "p", operation: "spawn" });
// @ts-expect-error unknown code
new ProviderError("OOPS", at);
// @ts-expect-error retryable follows from the code
new ProviderError("BUSY", { ...at, retryable: false });
// @ts-expect-error not a scope
new ProviderError("BUSY", { ...at, scope: "planet" });
