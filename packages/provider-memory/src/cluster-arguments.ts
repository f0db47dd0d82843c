import { type ClusterConfig, ProviderError } from "@slipway/core";
import * as z from "zod/mini";
import { PROVIDER, refusal } from "./context.ts";

interface Parses<T> {
  readonly safeParse: (
    value: unknown,
  ) =>
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: Pick<z.core.$ZodError, "issues"> };
}

const CLUSTER: z.ZodMiniType<{ readonly name: string }> = z.object({ name: z.string() });
const NODES: z.ZodMiniType<readonly { readonly id: string }[]> = z.array(z.object({ id: z.string() }));
const ARGV: z.ZodMiniType<readonly string[]> = z.array(z.string()).check(z.minLength(1));

function checked<T>(operation: string, what: string, schema: Parses<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [what, ...(issue?.path ?? [])].join(".");
  throw refusal(operation, "INVALID_SPEC", `${where}: ${issue?.message ?? "is not understood"}`);
}

const WITHOUT_API_SERVER = ["kubeconfigPath", "portMappings"] as const;

/** The config, if a memory cluster can be made so. */
export async function checkedConfig(value: unknown): Promise<ClusterConfig> {
  // It brings all of zod, and most programs make no cluster.
  const { clusterConfigSchema } = await import("@slipway/core/schema");
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
