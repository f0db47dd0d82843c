import { z } from "zod";
import type { RuntimeEvent } from "../runtime.ts";
import { errorCode, errorEffect } from "./error.ts";
import { time } from "./from-shape.ts";
import { tied } from "./tied.ts";

const base = { at: time, provider: z.string() };
const call = { ...base, operation: z.string(), callId: z.int() };
const ms = z.number().nonnegative();

/** One event of `onEvent`, as a log line or another process has it. */
export const runtimeEventSchema: z.ZodType<RuntimeEvent> = tied<RuntimeEvent>()(
  z.discriminatedUnion("type", [
    z.object({
      ...call,
      type: z.literal("call.start"),
      key: z.string().exactOptional(),
      id: z.string().exactOptional(),
    }),
    z.object({
      ...call,
      type: z.literal("call.end"),
      durationMs: ms,
      outcome: z.enum(["ok", "error"]),
      code: errorCode.exactOptional(),
      effect: errorEffect.exactOptional(),
    }),
    z.object({
      ...base,
      type: z.literal("wait"),
      reason: z.enum(["pacing", "retry-after", "poll"]),
      operation: z.string(),
      ms,
    }),
    z.object({
      ...base,
      type: z.literal("placement.tried"),
      placement: z.string(),
      outcome: z.union([z.literal("ok"), errorCode]),
    }),
    z.object({ ...base, type: z.literal("offering.unavailable"), offering: z.string(), untilMs: z.number() }),
    z.object({ ...base, type: z.literal("batch.sent"), operation: z.string(), size: z.int().nonnegative() }),
    z.object({ ...base, type: z.literal("launch.adopted"), key: z.string(), id: z.string() }),
    z.object({
      ...base,
      type: z.literal("command.run"),
      command: z.array(z.string()),
      durationMs: ms,
      exitCode: z.number().nullable(),
    }),
  ]),
);
