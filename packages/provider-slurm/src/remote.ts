import type { Clock } from "@slipway/core";
import { type Refusal, refusals } from "@slipway/provider-kit/errors";
import type { SlurmClient } from "./client.ts";

export const PROVIDER = "slurm";
/** An error of this package itself; nothing was done unless it says so. */
export const refusal: Refusal = refusals(PROVIDER);

export type SlurmCapability = "gpu" | "idempotentSpawn" | "terminateBy";

/** One user's view of one cluster, as the parts of the driver use it. */
export interface SlurmRemote {
  readonly client: SlurmClient;
  readonly clock: Clock;
  /** The default partition for a spawn without `spec`; undefined: the cluster's own. */
  readonly partition: string | undefined;
  /** Minutes; undefined: the partition's default. */
  readonly timeLimitMinutes: number | undefined;
  readonly requeue: boolean;
  readonly exclusive: boolean;
  readonly reasonTimeoutMs: number;
  /** Partitions whose jobs the site may preempt. */
  readonly preemptible: ReadonlySet<string>;
  /** Where on the node each bootstrap gets a directory of its own. */
  readonly bootstrapDirectory: string;
}
