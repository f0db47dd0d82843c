import type { z } from "zod";
import { type Region, regionShape } from "../capability.ts";
import { capabilityTable } from "../capability-table.ts";
import {
  type Cluster,
  type ClusterConfig,
  type ClusterNode,
  clusterConfigShape,
  clusterNodeShape,
  clusterShape,
} from "../cluster.ts";
import { type Instance, instanceShape } from "../instance.ts";
import { callShape } from "../options.ts";
import { type Cost, type CostQuery, costShape, type Price, priceShape } from "../price.ts";
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

/** What an hour costs. */
export const priceSchema: z.ZodType<Price> = answerSchema<Price>(priceShape);

/** An instance as every provider answers it through the contract; a provider's own fields are dropped. */
export const instanceSchema: z.ZodType<Instance> = answerSchema<Instance>(instanceShape);

/** What `provision` takes. */
export const clusterConfigSchema: z.ZodType<ClusterConfig> = requestSchema<ClusterConfig>(clusterConfigShape);

export const clusterNodeSchema: z.ZodType<ClusterNode> = answerSchema<ClusterNode>(clusterNodeShape);
export const clusterSchema: z.ZodType<Cluster> = answerSchema<Cluster>(clusterShape);
