import type { SpawnOptions } from "@slipway/core";
import type { Call, SpawnRequest } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import { slurmTime } from "./job-script.ts";
import { NAME } from "./options.ts";
import { MAX_COMMENT_BYTES, writeComment } from "./ownership.ts";
import { refusal, type SlurmCapability, type SlurmRemote } from "./remote.ts";

/** As the contract's, and what `sbatch` takes beside. Each is part of the spec that a repeated key compares. */
export type SlurmSpawnOptions = SpawnOptions<SlurmCapability> & {
  /** The job's time limit; absent: the provider's, else the partition's. */
  readonly timeLimitMinutes?: number | undefined;
  /** True: Slurm may run the job, and so its bootstrap, again after a node failure or a preemption. */
  readonly requeue?: boolean | undefined;
  /** True: whole nodes. */
  readonly exclusive?: boolean | undefined;
  /** A feature that the node must have. */
  readonly constraint?: string | undefined;
  readonly reservation?: string | undefined;
  /** Lowers the job's priority; 0 to 2 147 483 645. */
  readonly nice?: number | undefined;
};

const MEBIBYTE = 1024 ** 2;
// Slurm counts minutes in 32 bits, and the highest values mean "unlimited".
const MAX_MINUTES = 2 ** 31 - 1;

const own = z.object({
  timeLimitMinutes: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_MINUTES))),
  requeue: z.optional(z.boolean()),
  exclusive: z.optional(z.boolean()),
  constraint: z.optional(z.string().check(z.regex(NAME, "must be the name of one feature"))),
  reservation: z.optional(z.string().check(z.regex(NAME, "must be a reservation's name"))),
  nice: z.optional(z.int().check(z.minimum(0), z.maximum(2_147_483_645))),
});

/** The names of the options that the contract does not know. */
export const OWN_OPTIONS: readonly string[] = Object.keys(own.shape);

/** What a spawn submits, beside its script. */
export interface Prepared {
  readonly args: readonly string[];
  /** Undefined: the cluster's default one. */
  readonly partition: string | undefined;
  readonly comment: string;
  readonly token: string;
  /** When it must end, epoch seconds. */
  readonly end: number | undefined;
}

/** The arguments of `sbatch`, from the contract's options and this provider's own. Throws INVALID_SPEC; runs nothing. */
export function prepare(
  { config, clock }: SlurmRemote,
  { operation }: Call,
  request: SpawnRequest<SlurmSpawnOptions>,
): Prepared {
  const { options, ownership, script } = request;
  const { resources, gpu } = options;
  const [partition = config.partition, account, qos, ...more] = options.spec?.split("/") ?? [];
  const names = [partition, account, qos].filter((one) => one !== undefined);
  if (more.length > 0 || names.some((one) => !NAME.test(one))) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      "spec must be a partition, or partition/account, or partition/account/qos",
    );
  }
  if (gpu?.type !== undefined && !NAME.test(gpu.type)) {
    throw refusal("INVALID_SPEC", operation, "gpu.type must be a type of the cluster's gres.conf, as a100");
  }
  const fault = own.safeParse(options).error?.issues[0];
  if (fault !== undefined) throw refusal("INVALID_SPEC", operation, `${fault.path.join(".")}: ${fault.message}`);
  const token = process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex");
  const comment = writeComment({
    ownership,
    token: script === undefined ? undefined : token,
    asksMemory: resources?.memoryBytes !== undefined,
    terminateBy: options.terminateBy,
  });
  const bytes = Buffer.byteLength(comment);
  if (bytes > MAX_COMMENT_BYTES) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      `key, name and labels take ${bytes} bytes, and a job's comment holds ${MAX_COMMENT_BYTES}`,
    );
  }
  // Not earlier: whole seconds, rounded up.
  const end = options.terminateBy === undefined ? undefined : Math.ceil(Date.parse(options.terminateBy) / 1000);
  const args = [
    "--output=/dev/null",
    "--chdir=/",
    "--nodes=1",
    "--ntasks=1",
    (options.requeue ?? config.requeue) ? "--requeue" : "--no-requeue",
    `--cpus-per-task=${Math.ceil(resources?.cpus ?? 1)}`,
    ...option("partition", partition),
    ...option("account", account),
    ...option("qos", qos),
    ...timeOptions(options.timeLimitMinutes ?? config.timeLimitMinutes, end, clock.now()),
    ...option("constraint", options.constraint),
    ...option("reservation", options.reservation),
    ...option("nice", options.nice),
    ...option(
      "mem",
      resources?.memoryBytes === undefined ? undefined : `${Math.ceil(resources.memoryBytes / MEBIBYTE)}M`,
    ),
    ...option(
      "gres",
      gpu === undefined ? undefined : ["gpu", gpu.type, gpu.count ?? 1].filter((one) => one !== undefined).join(":"),
    ),
    ...((options.exclusive ?? config.exclusive) ? ["--exclusive"] : []),
  ];
  return { args, partition, comment, token, end };
}

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

/**
 * A time limit counts from the start: here it is long enough for a job that starts at once, and the job itself shortens it
 * when it starts later. One that has not started by then cannot end before the deadline any more, so Slurm drops it.
 */
function timeOptions(limit: number | undefined, end: number | undefined, now: number): readonly string[] {
  if (end === undefined) return option("time", limit);
  // One more: the controller's clock may be behind ours.
  const minutes = Math.min(limit ?? MAX_MINUTES, Math.ceil((end - now / 1000) / 60) + 1);
  return [...option("time", minutes), ...option("deadline", slurmTime(end + minutes * 60))];
}
