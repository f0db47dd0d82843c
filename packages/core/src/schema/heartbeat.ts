import { z } from "zod";
import type { SerializedProviderError } from "../errors/provider-error.ts";
import { HEARTBEAT_TASKS, type HeartbeatRequest, type HeartbeatTask, type Receipt } from "../registration.ts";
import { providerErrorSchema } from "./error.ts";
import { time } from "./from-shape.ts";
import { tied } from "./tied.ts";

/** A receipt on the wire: its error is plain data. */
export type SerializedReceipt =
  | Extract<Receipt, { readonly ok: true }>
  | (Omit<Extract<Receipt, { readonly ok: false }>, "error"> & { readonly error: SerializedProviderError });

/** The answer to a heartbeat on the wire. */
export interface SerializedHeartbeatAnswer {
  readonly receipts: readonly SerializedReceipt[];
}

// The list is typed as HeartbeatTask[]; the enum wants to see that it is not empty.
const task = z.enum(HEARTBEAT_TASKS as readonly [HeartbeatTask, ...HeartbeatTask[]]);
const receipt = z.discriminatedUnion("ok", [
  z.object({
    task,
    ok: z.literal(true),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).exactOptional(),
  }),
  z.object({ task, ok: z.literal(false), error: providerErrorSchema }),
]);

/** What became of one task. */
export const receiptSchema: z.ZodType<SerializedReceipt> = tied<SerializedReceipt>()(receipt);
/** What a control plane asks of a provider from time to time. */
export const heartbeatRequestSchema: z.ZodType<HeartbeatRequest> = tied<HeartbeatRequest>()(
  z.strictObject({ tasks: z.array(task), deadline: time }),
);
/** One receipt for each task, in the same order. */
export const heartbeatAnswerSchema: z.ZodType<SerializedHeartbeatAnswer> = tied<SerializedHeartbeatAnswer>()(
  z.object({ receipts: z.array(receipt) }),
);
