import type { z } from "zod";
import { capabilityTable } from "../capability-table.ts";
import { type Cost, type CostQuery, costShape } from "../cost.ts";
import { callShape } from "../options.ts";
import { type Region, regionShape } from "../region.ts";
import { type Snapshot, snapshotShape } from "../snapshot.ts";
import { type SpotPrice, type SpotRequest, spotPriceShape, spotRequestShape } from "../spot.ts";
import { type Volume, volumeShape } from "../volume.ts";
import { answerSchema, requestSchema } from "./from-shape.ts";

/** A snapshot as every provider answers it through the contract. */
export const snapshotSchema: z.ZodType<Snapshot> = answerSchema<Snapshot>(snapshotShape);

/** A volume, warm ones too. */
export const volumeSchema: z.ZodType<Volume> = answerSchema<Volume>(volumeShape);

export const spotRequestSchema: z.ZodType<SpotRequest> = answerSchema<SpotRequest>(spotRequestShape);

export const spotPriceSchema: z.ZodType<SpotPrice> = answerSchema<SpotPrice>(spotPriceShape);

export const regionSchema: z.ZodType<Region> = answerSchema<Region>(regionShape);

export const costSchema: z.ZodType<Cost> = answerSchema<Cost>(costShape);

/** What `getCosts` takes. */
export const costQuerySchema: z.ZodType<CostQuery> = requestSchema<CostQuery>({
  ...capabilityTable.costExplorer.methods.getCosts.options,
  ...callShape,
});
