import {
  type ClusterProvider,
  ProviderError,
  type ProviderRegistration,
  type RegisterEnvironment,
  type Workflows,
} from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { contextOf, type MemoryOptions } from "./client.ts";
import { type MemoryNode, memoryCluster } from "./cluster.ts";
import { PROVIDER } from "./context.ts";
import { memoryHooks } from "./hooks.ts";
import { type MemoryProvider, memory } from "./provider.ts";
import { type MemoryWorld, memoryWorld } from "./world/world.ts";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

/** What `register` takes. */
export interface MemoryConfig {
  /** Where instances may be; the first is the default. */
  readonly regions?: readonly string[] | undefined;
  /** Absent: the variable SLIPWAY_MEMORY_API_KEY. */
  readonly apiKey?: string | undefined;
  /** A world that is there already; else one is made with the settings below. */
  readonly world?: MemoryWorld | undefined;
  readonly readAfterWriteMs?: number | undefined;
  readonly bootMs?: number | undefined;
  readonly bootstrapMs?: number | undefined;
  readonly latencyMs?: number | undefined;
}

const milliseconds = z.optional(z.number().check(z.nonnegative()));
export const configSchema: z.ZodMiniType<MemoryConfig> = z.strictObject({
  regions: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
  apiKey: z.optional(z.string().check(z.minLength(1))),
  world: z.optional(z.custom<MemoryWorld>(isWorld, "must be what memoryWorld() answers")),
  readAfterWriteMs: milliseconds,
  bootMs: milliseconds,
  bootstrapMs: milliseconds,
  latencyMs: milliseconds,
});

function isWorld(value: unknown): boolean {
  return typeof value === "object" && value !== null && "transport" in value && typeof value.transport === "function";
}

export type MemoryRegistration = ProviderRegistration<MemoryProvider, Workflows, ClusterProvider<MemoryNode>> & {
  readonly provider: MemoryProvider;
  readonly cluster: ClusterProvider<MemoryNode>;
};

/** Makes the registration. INVALID_SPEC for a config that `configSchema` refuses; it calls nothing. */
export async function register(config: unknown, env: RegisterEnvironment): Promise<MemoryRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : ` ${issue.path.join(".")}`;
    throw new ProviderError("INVALID_SPEC", {
      message: `the config of memory${where} is wrong: ${issue?.message ?? "unknown"}`,
      provider: PROVIDER,
      operation: "register",
      effect: "none",
    });
  }
  const { world: given, regions, apiKey, ...times } = parsed.data;
  const world = given ?? memoryWorld({ ...times, clock: env.runtime?.clock });
  const options: MemoryOptions = {
    owner: env.owner,
    world,
    regions,
    apiKey: apiKey ?? env.variables["SLIPWAY_MEMORY_API_KEY"],
    runtime: env.runtime,
  };
  return {
    provider: memory(options),
    cluster: memoryCluster(options),
    hooks: memoryHooks(contextOf(options, world)),
  };
}
