import { type ClusterConfig, ProviderError } from "@slipway/core";
import { z } from "zod";
import { PROVIDER, refusal } from "./context.ts";

const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be 1 to 63 lower-case letters, digits and dashes");

const CONFIG: z.ZodType<ClusterConfig> = z.strictObject({
  name,
  nodes: z.int().positive().optional(),
  image: z.string().min(1).optional(),
  cpus: z.number().positive().optional(),
  memoryBytes: z.number().positive().optional(),
  portMappings: z.array(z.unknown()).optional(),
  waitTimeoutMs: z.number().nonnegative().optional(),
  kubeconfigPath: z.string().optional(),
  currentContext: z.boolean().optional(),
  retain: z.boolean().optional(),
});
const CLUSTER: z.ZodType<{ readonly name: string }> = z.object({ name: z.string() });
const NODES: z.ZodType<readonly { readonly id: string }[]> = z.array(z.object({ id: z.string() }));
const ARGV: z.ZodType<readonly string[]> = z.array(z.string()).min(1);

function checked<T>(operation: string, what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [what, ...(issue?.path ?? [])].join(".");
  throw refusal(operation, "INVALID_SPEC", `${where}: ${issue?.message ?? "is not understood"}`);
}

/** The config, if a memory cluster can be made so. */
export function checkedConfig(value: unknown): ClusterConfig {
  const config = checked("provision", "config", CONFIG, value);
  if (config.kubeconfigPath === undefined) return config;
  throw new ProviderError("UNSUPPORTED", {
    message: "kubeconfigPath is not supported: a memory cluster has no API server to write one for",
    provider: PROVIDER,
    operation: "provision",
    effect: "none",
  });
}

export function clusterName(operation: string, value: unknown): string {
  return checked(operation, "cluster", CLUSTER, value).name;
}

export function nodeIds(operation: string, value: unknown): readonly string[] {
  return checked(operation, "nodes", NODES, value).map(({ id }) => id);
}

export function checkedArgv(operation: string, value: unknown): readonly string[] {
  return checked(operation, "argv", ARGV, value);
}
