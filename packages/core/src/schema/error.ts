import { z } from "zod";
import { ERROR_CODES, ERROR_SCOPES, type ErrorCode, type ErrorScope } from "../errors/codes.ts";
import type { SerializedProviderError } from "../errors/provider-error.ts";
import { tied } from "./tied.ts";

// The keys of the table are the codes, and there are some.
const codes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];
export const errorCode: z.ZodType<ErrorCode> = z.enum(codes);
export const errorEffect: z.ZodType<"none" | "applied" | "unknown"> = z.enum(["none", "applied", "unknown"]);

/** What `JSON.stringify` makes of a ProviderError. */
export const providerErrorSchema: z.ZodType<SerializedProviderError> = tied<SerializedProviderError>()(
  z.object({
    name: z.string(),
    code: errorCode,
    category: z.string(),
    retryable: z.boolean(),
    // The list is typed as ErrorScope[]; the enum wants to see that it is not empty.
    scope: z.enum(ERROR_SCOPES as readonly [ErrorScope, ...ErrorScope[]]),
    provider: z.string(),
    operation: z.string(),
    effect: errorEffect,
    exhausted: z.boolean(),
    message: z.string(),
    retryAfterMs: z.number().nonnegative().exactOptional(),
    native: z
      .object({
        status: z.number().exactOptional(),
        code: z.string().exactOptional(),
        requestId: z.string().exactOptional(),
        id: z.string().exactOptional(),
      })
      .exactOptional(),
    hint: z.string().exactOptional(),
  }),
);
