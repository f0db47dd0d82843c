import type { Runtime } from "@slipway/core";
import { z } from "zod";

/** The settings that a config file may hold. */
export interface SlurmConfig {
  /** Path of slurm.conf; absent: the variable SLURM_CONF, or where Slurm itself looks. */
  readonly slurmConf?: string | undefined;
  /** Words before every command, such as `["ssh", "login-node"]`. They must hand the rest to a POSIX shell. */
  readonly commandPrefix?: readonly string[] | undefined;
  /** For a spawn without `spec`; absent: the cluster's default partition. */
  readonly partition?: string | undefined;
  /** The time limit of each job in minutes; absent: the partition's default. */
  readonly timeLimitMinutes?: number | undefined;
  /** True: Slurm may run a job again after a node failure or a preemption. False if absent. */
  readonly requeue?: boolean | undefined;
  /** True: each job gets whole nodes. */
  readonly exclusive?: boolean | undefined;
  /** Partitions whose jobs the site may preempt: their instances say `isSpot`. */
  readonly preemptiblePartitions?: readonly string[] | undefined;
  /** A directory on the nodes, writable by the user; `/tmp` if absent. */
  readonly bootstrapDirectory?: string | undefined;
  /** How long a spawn waits for Slurm's first reason why a job does not start, milliseconds; 1 500 if absent. */
  readonly reasonTimeoutMs?: number | undefined;
  /** The time limit of one command, milliseconds; 30 000 if absent. */
  readonly commandTimeoutMs?: number | undefined;
}

export interface SlurmOptions extends SlurmConfig {
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  readonly runtime?: Partial<Runtime> | undefined;
}

/** A partition, an account or a QOS as it may stand in an argument. */
export const NAME: RegExp = /^[A-Za-z0-9_][\w.-]{0,63}$/;

const name = z.string().regex(NAME, "must be a partition's name");
const path = z.string().regex(/^\/[\w./-]*$/, "must be an absolute path of letters, digits, `.`, `_` and `-`");
const positive = z.number().int().positive();

export const configSchema: z.ZodType<SlurmConfig> = z.strictObject({
  slurmConf: path.optional(),
  commandPrefix: z
    .array(z.string().regex(/^[^\0]+$/))
    .min(1)
    .optional(),
  partition: name.optional(),
  timeLimitMinutes: positive.optional(),
  requeue: z.boolean().optional(),
  exclusive: z.boolean().optional(),
  preemptiblePartitions: z.array(name).optional(),
  bootstrapDirectory: path.optional(),
  reasonTimeoutMs: positive.optional(),
  commandTimeoutMs: positive.optional(),
});
