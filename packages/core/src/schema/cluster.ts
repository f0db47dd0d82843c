import { z } from "zod";
import type { Cluster, ClusterConfig, ClusterNode } from "../cluster.ts";
import { tied } from "./tied.ts";
import { time } from "./time.ts";

const text = z.string().min(1);
const above0 = z.number().positive();
const portNumber = z.int().min(1).max(65_535);

/** What `provision` takes. */
export const clusterConfigSchema: z.ZodType<ClusterConfig> = tied<ClusterConfig>()(
  z.strictObject({
    name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and dashes"),
    nodes: z.int().min(1).optional(),
    image: text.optional(),
    cpus: above0.optional(),
    memoryBytes: above0.optional(),
    portMappings: z
      .array(
        z.strictObject({
          containerPort: portNumber,
          hostPort: portNumber,
          protocol: z.enum(["tcp", "udp"]).optional(),
        }),
      )
      .optional(),
    waitTimeoutMs: above0.optional(),
    kubeconfigPath: text.optional(),
    currentContext: z.boolean().optional(),
    retain: z.boolean().optional(),
  }),
);

const node = z.object({
  id: text,
  name: z.string(),
  cluster: z.string(),
  role: z.enum(["control-plane", "worker"]),
  status: z.enum(["pending", "running", "stopped", "unknown"]),
  address: z.string().exactOptional(),
  image: z.string(),
});

export const clusterNodeSchema: z.ZodType<ClusterNode> = tied<ClusterNode>()(node);
export const clusterSchema: z.ZodType<Cluster> = tied<Cluster>()(
  z.object({ name: text, owner: z.string(), createdAt: time.nullable(), nodes: z.array(node) }),
);
