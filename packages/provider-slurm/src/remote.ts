import type { Clock } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { SlurmClient } from "./client.ts";
import type { SlurmConfig } from "./options.ts";

export const PROVIDER = "slurm";
/** An error of this package itself; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

export type SlurmCapability = "gpu" | "idempotentSpawn" | "terminateBy";

/** One user's view of one cluster, as the parts of the driver use it. */
export interface SlurmRemote {
  readonly client: SlurmClient;
  readonly clock: Clock;
  readonly config: SlurmConfig & { readonly reasonTimeoutMs: number; readonly bootstrapDirectory: string };
}
