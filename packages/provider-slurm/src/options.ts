import type { Runtime } from "@slipway/core";
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

// Without a locale zod/mini says "Invalid input" of everything.
z.config(english());

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
  /** True: `bootstrapDirectory` is seen here as well, so logs and bootstraps are read without the node, and after the end. */
  readonly sharedBootstrapDirectory?: boolean | undefined;
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

const name = z.string().check(z.regex(NAME, "must be a partition's name"));
const path = z.string().check(z.regex(/^\/[\w./-]*$/, "must be an absolute path of letters, digits, `.`, `_` and `-`"));
const positive = z.int().check(z.positive());

export const configSchema: z.ZodMiniType<SlurmConfig> = z.strictObject({
  slurmConf: z.optional(path),
  commandPrefix: z.optional(z.array(z.string().check(z.regex(/^[^\0]+$/))).check(z.minLength(1))),
  partition: z.optional(name),
  timeLimitMinutes: z.optional(positive),
  requeue: z.optional(z.boolean()),
  exclusive: z.optional(z.boolean()),
  preemptiblePartitions: z.optional(z.array(name)),
  bootstrapDirectory: z.optional(path),
  sharedBootstrapDirectory: z.optional(z.boolean()),
  reasonTimeoutMs: z.optional(positive),
  commandTimeoutMs: z.optional(positive),
});
