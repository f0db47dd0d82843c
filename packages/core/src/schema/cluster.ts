import type { z } from "zod";
import {
  type Cluster,
  type ClusterConfig,
  type ClusterNode,
  clusterConfigShape,
  clusterNodeShape,
  clusterShape,
} from "../cluster.ts";
import { answerSchema, requestSchema } from "./from-shape.ts";

/** What `provision` takes. */
export const clusterConfigSchema: z.ZodType<ClusterConfig> = requestSchema<ClusterConfig>(clusterConfigShape);

export const clusterNodeSchema: z.ZodType<ClusterNode> = answerSchema<ClusterNode>(clusterNodeShape);
export const clusterSchema: z.ZodType<Cluster> = answerSchema<Cluster>(clusterShape);
