import { type ClusterConfig, ProviderError } from "@slipway/core";
import { clusterConfigSchema } from "@slipway/core/schema";
import { z } from "zod";
import { PROVIDER, refusal } from "./context.ts";

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

const WITHOUT_API_SERVER = ["kubeconfigPath", "portMappings"] as const;

/** The config, if a memory cluster can be made so. */
export function checkedConfig(value: unknown): ClusterConfig {
  const config = checked("provision", "config", clusterConfigSchema, value);
  const asked = WITHOUT_API_SERVER.find((option) => config[option] !== undefined);
  if (asked === undefined) return config;
  throw new ProviderError("UNSUPPORTED", {
    message: `${asked} is not supported: nothing listens in a memory cluster`,
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
