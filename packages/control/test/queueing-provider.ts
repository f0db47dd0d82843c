// A queueing provider in small: a batch scheduler that accepts a job at once, may let it wait for hours, and may put a
// running one back into the queue. Decision 0023 says why it looks as it does; this file shows that its types compile.
import {
  defineProvider,
  type Instance,
  nameFor,
  type Provider,
  ProviderError,
  type Snapshot,
  type SpawnOptions,
  specHash,
} from "@slipway/core";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface QueuedInstance extends Instance {
  /** What only a queue knows. Absent once the job has ended. */
  readonly queue?: {
    /** How often the scheduler has put it back. */
    readonly restarts: number;
    /** The scheduler's own guess, ISO 8601 UTC; it moves. */
    readonly estimatedStartAt?: string;
  };
}

/** No option and no capability of its own: what waits in a queue is a pending instance. */
export type QueueProvider = Provider<QueuedInstance, Snapshot, "gpu">;

type JobState = "PENDING" | "RUNNING" | "COMPLETED" | "CANCELLED" | "REVOKED";

export interface Job {
  readonly id: string;
  /** `nameFor(owner, key)`: what a lost answer is found by. */
  readonly name: string;
  readonly comment: { readonly owner: string; readonly key: string; readonly specHash: string };
  readonly submittedAt: number;
  state: JobState;
  reason: string;
  restarts: number;
}

const STATUS: Readonly<Record<JobState, Instance["status"]>> = {
  PENDING: "pending",
  RUNNING: "running",
  COMPLETED: "terminated",
  CANCELLED: "terminated",
  // It lives on under another id: this one has ended.
  REVOKED: "terminated",
};

/** The scheduler: `sbatch`, `squeue`, `scancel`, `scontrol requeue`, and what an operator does. */
export class Scheduler {
  readonly jobs: Job[] = [];
  readonly nodes: number;
  maxJobs = 100;
  looks = 0;
  loseNextReply = false;
  readonly #clock: SimulatedClock;

  constructor(clock: SimulatedClock, nodes: number) {
    this.#clock = clock;
    this.nodes = nodes;
  }

  submit(request: Pick<Job, "name" | "comment">): Job {
    const id = String(1000 + this.jobs.length);
    const job: Job = {
      ...request,
      id,
      submittedAt: this.#clock.now(),
      state: "PENDING",
      reason: "Priority",
      restarts: 0,
    };
    this.jobs.push(job);
    return job;
  }

  start(id: string): void {
    Object.assign(this.#job(id), { state: "RUNNING", reason: "None" });
  }

  requeue(id: string): void {
    const job = this.#job(id);
    Object.assign(job, { state: "PENDING", reason: "BeginTime", restarts: job.restarts + 1 });
  }

  /** A federation moves the job to another cluster: the same name and comment, a new id. */
  move(id: string): Job {
    const job = this.#job(id);
    job.state = "REVOKED";
    return this.submit(job);
  }

  #job(id: string): Job {
    const job = this.jobs.find((one) => one.id === id);
    if (job === undefined) throw new TypeError(`no job ${id}`);
    return job;
  }
}

export function queueProvider(scheduler: Scheduler, owner = "lab"): QueueProvider {
  const live = (): readonly Job[] => scheduler.jobs.filter(({ state }) => STATUS[state] !== "terminated");
  return defineProvider<QueueProvider>({
    name: "queue",
    owner,
    tier: "additional",
    capabilities: { gpu: true },
    limits: { maxUserDataBytes: 1e6, maxLabels: 0, nameMaxLength: 63, readAfterWriteMs: 5_000, requestLifeMs: 0 },
    whyNot: {
      idempotentSpawn: "Submitting takes no token: two processes that share nothing can submit one key twice.",
    },
    spawn: async (options) => instanceOf(submitOnce(scheduler, live, owner, options)),
    terminate: async (id) => {
      const job = live().find((one) => one.id === id);
      if (job !== undefined) job.state = "CANCELLED";
    },
    get: async (id) => {
      scheduler.looks += 1;
      const job = scheduler.jobs.find((one) => one.id === id);
      return job === undefined ? null : instanceOf(job);
    },
    list: async ({ keys, ids } = {}) =>
      live()
        .filter(({ id, comment }) => (keys?.includes(comment.key) ?? true) && (ids?.includes(id) ?? true))
        .map(instanceOf),
    generateBootstrap: () => {
      throw refusal("UNSUPPORTED", "this model renders none");
    },
  });
}

function submitOnce(
  scheduler: Scheduler,
  live: () => readonly Job[],
  owner: string,
  options: SpawnOptions<"gpu">,
): Job {
  const { key = "" } = options;
  const hash = specHash(options);
  const name = nameFor(owner, key);
  const known = live().find((job) => job.name === name);
  if (known?.comment.specHash === hash) return known;
  if (known !== undefined) throw refusal("CONFLICT", "another job has this key", known.id);
  // What can never start is refused when it is asked for, and not found out after hours.
  if ((options.gpu?.count ?? 0) > scheduler.nodes) throw refusal("INVALID_SPEC", "no partition has so many");
  if (live().length >= scheduler.maxJobs) throw refusal("QUOTA_EXCEEDED", "the association's limit of jobs is reached");
  const job = scheduler.submit({ name, comment: { owner, key, specHash: hash } });
  if (!scheduler.loseNextReply) return job;
  scheduler.loseNextReply = false;
  throw new ProviderError("NETWORK", {
    provider: "queue",
    operation: "spawn",
    message: "the connection broke before the answer",
    effect: "unknown",
  });
}

function refusal(
  code: "CONFLICT" | "INVALID_SPEC" | "QUOTA_EXCEEDED" | "UNSUPPORTED",
  message: string,
  id?: string,
): Error {
  return new ProviderError(code, {
    provider: "queue",
    operation: "spawn",
    message,
    effect: "none",
    ...(id === undefined ? {} : { native: { id } }),
  });
}

function instanceOf(job: Job): QueuedInstance {
  const { id, comment, submittedAt, state, reason, restarts } = job;
  const status = STATUS[state];
  return {
    id,
    nativeId: id,
    provider: "queue",
    status,
    ...(status === "pending" ? { statusReason: { code: reason, message: `the scheduler says ${reason}` } } : {}),
    ...(status === "terminated" ? {} : { queue: { restarts } }),
    key: comment.key,
    owner: comment.owner,
    addresses: {},
    isSpot: false,
    labels: {},
    createdAt: new Date(submittedAt).toISOString(),
  };
}
