import type { BaseSpawnOptions, Instance, InstanceStatus } from "@slipway/core";
import type { Call, Driver, Ownership } from "../../src/driver/index.ts";

/** One line of `squeue -h --me -t all -o …`, with 0x1F between the fields. */
interface Job {
  readonly number: string;
  readonly submitted: string; // epoch seconds
  readonly cluster: string;
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly comment: string;
}

interface SlurmInstance extends Instance {
  readonly jobId: string;
  readonly reason: string;
}

/** `sbatch`, `squeue`, `scancel`, `scontrol release`, each a command with a time limit of its own. */
interface SlurmCommands {
  readonly jobs: (call: Call, only: { readonly name?: string | undefined }) => Promise<readonly Job[]>;
  readonly submit: (
    call: Call,
    job: {
      readonly name: string;
      readonly comment: string;
      readonly args: readonly string[];
      readonly script: string;
      readonly hold: true;
    },
  ) => Promise<Job>;
  readonly release: (call: Call, number: string) => Promise<void>;
  readonly cancel: (call: Call, number: string) => Promise<void>;
}

const STATES: Readonly<Record<string, InstanceStatus>> = {
  PENDING: "pending",
  CONFIGURING: "pending",
  RUNNING: "running",
  SUSPENDED: "stopped",
  COMPLETING: "terminating",
  COMPLETED: "terminated",
  CANCELLED: "terminated",
  TIMEOUT: "terminated",
  PREEMPTED: "terminated",
  FAILED: "error",
  NODE_FAIL: "error",
  OUT_OF_MEMORY: "error",
};

/** Numbers come again after a crash: the submit time is part of the id. */
const idOf = (job: Job): string => `${job.cluster}/${job.number}@${job.submitted}`;
const HOLDING = "exec sleep infinity\n";

/** No token, no unique names; a held job costs nothing and cannot start: so the kit's election decides between processes. */
export function slurmDriver(slurm: SlurmCommands): Driver<Job, SlurmInstance, BaseSpawnOptions, readonly string[]> {
  const numberOf = (id: string): string => /\/(\d+)@/.exec(id)?.[1] ?? "";
  return {
    isId: (id) => /^[\w-]+\/\d+@\d+$/.test(id),
    identify: (job) => ({
      id: idOf(job),
      nativeId: job.number,
      name: job.name,
      status: STATES[job.state] ?? "unknown",
      ownership: ownershipIn(job.comment),
      createdAt: new Date(Number(job.submitted) * 1_000).toISOString(),
    }),
    toInstance: (job, base) => ({
      ...base,
      jobId: job.number,
      reason: job.reason,
      // Queueing is `pending` with a reason: no error, and nothing to wait for in `spawn`.
      ...(job.state === "PENDING"
        ? { statusReason: { code: job.reason, message: `in the queue: ${job.reason}` } }
        : {}),
      addresses: {},
      isSpot: false,
      createdAt: new Date(Number(job.submitted) * 1_000).toISOString(),
    }),
    bootstrap: { format: "shell", executed: true },
    elects: true,

    // One `squeue` for all; `names` narrows it on the controller.
    list: async function* (call, { names }) {
      yield await slurm.jobs(call, { name: names?.[0] });
    },
    get: async (call, id) => (await slurm.jobs(call, {})).find((job) => idOf(job) === id) ?? null,
    prepare: (_call, { options }) => [
      `--cpus-per-task=${options.resources?.cpus ?? 1}`,
      "--no-requeue",
      "--export=NONE",
    ],
    create: async (call, { name, ownership, script, prepared }) => {
      const comment = JSON.stringify(ownership);
      const text = script === undefined ? `#!/bin/sh\n${HOLDING}` : `${script.content}\n${HOLDING}`;
      return { machine: await slurm.submit(call, { name, comment, args: prepared, script: text, hold: true }) };
    },
    // A held one is half made, by this process or by one that was killed.
    finish: async (call, job) => {
      if (job.reason === "JobHeldUser") await slurm.release(call, job.number);
      return { ...job, reason: "None" };
    },
    // scancel ends whatever has this number: only what was read with the same submit time.
    destroy: async (call, id, job) => {
      if (job === null) return "gone";
      await slurm.cancel(call, numberOf(id));
      return "accepted";
    },
  };
}

function ownershipIn(comment: string): Ownership | null {
  try {
    const { owner, key, specHash, labels = {}, ...more } = JSON.parse(comment) as Partial<Ownership>;
    return owner === undefined || key === undefined ? null : { owner, key, specHash, labels, ...more };
  } catch {
    return null;
  }
}
