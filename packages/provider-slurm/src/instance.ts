import type { Instance, InstanceResources, InstanceStatus } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
import type { SlurmConfig } from "./options.ts";
import { readComment } from "./ownership.ts";
import { reasonRow, settledState, slurmStates } from "./states.ts";
import type { Job } from "./wire.ts";

/** A job that holds an allocation, with what it shows beyond the contract. */
export interface SlurmInstance extends Instance {
  /** Slurm's own word for its state. */
  readonly state: string;
  readonly partition: string;
  readonly account: string;
  readonly qos: string;
  /** As Slurm writes them; empty while it waits. */
  readonly nodes: string;
  /** The name at Slurm: `nameFor(owner, key)`. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

export function statusOf(job: Job): InstanceStatus {
  // A refused submission may leave a record that never ran.
  if (job.state === "FAILED" && job.reason === "BadConstraints") return "terminated";
  const status = slurmStates[settledState(job)]?.status ?? "unknown";
  if (status !== "error" || !job.isDismissed) return status;
  return slurmStates[job.state]?.status === "terminating" ? "terminating" : "terminated";
}

export function submittedAt({ submitted }: Job): string {
  return new Date(Number(submitted) * 1000).toISOString();
}

export function toInstance(
  job: Job,
  base: InstanceBase,
  { config }: { readonly config: Pick<SlurmConfig, "preemptiblePartitions"> },
): SlurmInstance {
  const reason = reasonOf(job);
  const terminateBy = readComment(job.comment)?.terminateBy;
  return {
    ...base,
    state: job.state,
    ...(reason === undefined ? {} : { statusReason: reason }),
    ...(terminateBy === undefined ? {} : { terminateBy: { at: terminateBy, by: "remote" } }),
    spec: job.partition,
    resources: resourcesOf(job),
    partition: job.partition,
    account: known(job.account),
    qos: known(job.qos),
    nodes: job.nodes,
    addresses: {},
    isSpot: config.preemptiblePartitions?.includes(job.partition) === true,
    createdAt: submittedAt(job),
  };
}

const known = (text: string): string => (text === "(null)" || text === "N/A" ? "" : text);

function reasonOf(job: Job): { readonly code: string; readonly message: string } | undefined {
  const [state, { reason }] = [settledState(job), job];
  if (state === "PENDING") return { code: reason.slice(0, 64), message: reasonRow(reason)?.message ?? reason };
  const row = slurmStates[state];
  return row?.message === undefined ? undefined : { code: row.code ?? state, message: row.message };
}

const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

function resourcesOf({ cpus, memory, gres, comment }: Job): InstanceResources {
  const [, size, unit = "M"] = /^([\d.]+)([KMGT])?$/.exec(memory) ?? [];
  const [, type = "gpu", count] = /gpu(?::([A-Za-z][\w.-]*))?:(\d+)/.exec(gres) ?? [];
  const bytes = Number(size) * (UNITS[unit] ?? 1);
  return {
    cpus: Number(cpus),
    ...(bytes > 0 && readComment(comment)?.asksMemory === true ? { memoryBytes: Math.round(bytes) } : {}),
    ...(count === undefined ? {} : { gpus: { type, count: Number(count) } }),
  };
}
