import { z } from "zod";
import type { Cost, CostQuery } from "../cost.ts";
import type { Region } from "../region.ts";
import type { Snapshot } from "../snapshot.ts";
import type { SpotPrice, SpotRequest } from "../spot.ts";
import type { Volume } from "../volume.ts";
import { tied } from "./tied.ts";
import { time } from "./time.ts";

/** A snapshot as every provider answers it through the contract. */
export const snapshotSchema: z.ZodType<Snapshot> = tied<Snapshot>()(
  z.object({
    id: z.string().min(1),
    provider: z.string().min(1),
    status: z.enum(["pending", "available", "failed"]),
    key: z.string().nullable(),
    owner: z.string().nullable(),
    name: z.string().exactOptional(),
    instanceId: z.string().nullable(),
    region: z.string().exactOptional(),
    sizeBytes: z.number().exactOptional(),
    createdAt: time.nullable(),
  }),
);

/** A volume, warm ones too. */
export const volumeSchema: z.ZodType<Volume> = tied<Volume>()(
  z.object({
    id: z.string().min(1),
    provider: z.string().min(1),
    status: z.enum(["pending", "available", "attached", "deleting", "error", "unknown"]),
    key: z.string().nullable(),
    owner: z.string().nullable(),
    sizeBytes: z.number(),
    region: z.string().exactOptional(),
    zone: z.string().exactOptional(),
    attachedTo: z.string().nullable(),
    pool: z.string().exactOptional(),
    createdAt: time.nullable(),
  }),
);

export const spotRequestSchema: z.ZodType<SpotRequest> = tied<SpotRequest>()(
  z.object({
    requestId: z.string().min(1),
    status: z.enum(["open", "fulfilled", "failed"]),
    instanceId: z.string().nullable(),
  }),
);

export const spotPriceSchema: z.ZodType<SpotPrice> = tied<SpotPrice>()(
  z.object({
    usdPerHour: z.number().nonnegative(),
    per: z.literal("instance"),
    asOf: time,
    source: z.enum(["live", "catalogue"]),
    spec: z.string(),
    region: z.string(),
    zone: z.string().exactOptional(),
  }),
);

export const regionSchema: z.ZodType<Region> = tied<Region>()(z.object({ id: z.string().min(1), name: z.string() }));

export const costSchema: z.ZodType<Cost> = tied<Cost>()(
  z.object({
    usd: z.number(),
    from: time,
    to: time,
    group: z.string().nullable(),
    estimated: z.boolean(),
  }),
);

/** What `getCosts` takes. */
export const costQuerySchema: z.ZodType<CostQuery> = tied<CostQuery>()(
  z.strictObject({
    from: time,
    to: time,
    groupBy: z.enum(["day", "instance", "spec"]).optional(),
    signal: z.instanceof(AbortSignal).optional(),
    timeoutMs: z.number().positive().optional(),
  }),
);
