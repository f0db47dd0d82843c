import type { Lease, Pool } from "@slipway/control";
import {
  isProviderError,
  type Provider,
  type ProviderError,
  type SpawnOptionsOf,
  systemClock,
  timestamp,
} from "@slipway/core";
import { whenAvailable } from "./end-launch.ts";
import { type JobMachine, leaseLost, ownMachine, pooledMachine } from "./job-machines.ts";
import { JobRecord } from "./job-record.ts";
import { refusal } from "./refusal.ts";
import type { SessionExecOptions, SessionResult } from "./session.ts";
import type { ErasedOptions, WithInstanceOptions } from "./with-instance.ts";

/** One command in an instance of its own. */
export interface JobSpec<P extends Provider = Provider> {
  /** Names the job in the store and its instance at the remote; unique among this owner's jobs. */
  readonly key: string;
  readonly argv: readonly string[];
  /** Of the instance. `maxUsdPerHour` is its price cap. Not with a pool, whose machines are there before. */
  readonly options?: Omit<SpawnOptionsOf<P>, "key" | "expiresAt"> | undefined;
  readonly exec?: Pick<SessionExecOptions, "cwd" | "environment" | "stdin" | "timeoutMs"> | undefined;
}

/** What became of a job. */
export type JobOutcome =
  | {
      readonly state: "done";
      readonly result: SessionResult;
      /** Why the result could not be stored. A later call then runs the job once more. */
      readonly storeError?: unknown;
      /**
       * Why the instance could not be confirmed gone: it may be left running. With a pool, why its machine was not given back:
       * the pool keeps it for this job, until a later call for the job gives it back.
       */
      readonly leftover?: unknown;
    }
  | { readonly state: "failed"; readonly error: unknown };

export type JobResult = JobOutcome & {
  readonly key: string;
  /** An earlier call began the command, and nobody saw its end: it may have run twice. */
  readonly repeated: boolean;
  /** An earlier call stored this result, and nothing was run now. */
  readonly stored: boolean;
};

export type RunJobsOptions<P extends Provider> = WithInstanceOptions<P> & {
  /** How many instances at once; 4 if absent. */
  readonly concurrency?: number | undefined;
  /** How often one job is tried again after an error that is `retryable`, if its command did not begin; 2 if absent. */
  readonly retries?: number | undefined;
  /**
   * Takes machines of this pool, of the same provider, owner, account and store, where each job has one of its own else.
   * Somebody must call its `keep` meanwhile, and afterwards, since that ends what was not given back whole.
   */
  readonly pool?: Pool | undefined;
  /** May the next job have a machine of the pool whose command has ended? False: one job per machine. True if absent. */
  readonly reuse?: boolean | undefined;
  /** Not with a pool. Sets `expiresAt` of each instance, counted from the first call for its job: `reconcile` ends what is left then. */
  readonly ttlMs?: number | undefined;
  /** Called as soon as a job has its result. */
  readonly onResult?: ((result: JobResult) => void) | undefined;
};

const FIRST_PAUSE_MS = 1000;
const MOST_BEGINNINGS = 2;

/**
 * Runs each job in an instance of its own, or in one of a pool. Returns the results in the order of the jobs; a job that fails is a result
 * too. A job with a stored result is not run again. One that an earlier call began, without an end that anybody saw, is
 * run at most once more, and its result says so.
 *
 * @example
 * ```ts
 * import { local } from "@slipway/provider-local";
 *
 * const jobs = ["a", "b", "c"].map((name) => ({ key: `job-${name}`, argv: ["echo", name] }));
 * for (const result of await runJobs(local({ owner: "me" }), jobs, { store, concurrency: 2 })) console.log(result);
 * ```
 */
export async function runJobs<P extends Provider>(
  provider: P,
  jobs: readonly JobSpec<P>[],
  options: RunJobsOptions<P>,
): Promise<readonly JobResult[]> {
  if (new Set(jobs.map(({ key }) => key)).size !== jobs.length) {
    throw refusal("INVALID_SPEC", provider.name, "runJobs", "two jobs have the same key");
  }
  const { concurrency = 4 } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw refusal("INVALID_SPEC", provider.name, "runJobs", "concurrency must be a whole number of at least 1");
  }
  if (options.pool !== undefined && (options.ttlMs !== undefined || jobs.some((job) => job.options !== undefined))) {
    const message = "the machines of a pool are there before the jobs: options of a job and ttlMs are not possible";
    throw refusal("INVALID_SPEC", provider.name, "runJobs", message);
  }
  const results: JobResult[] = [];
  const waiting = [...jobs.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, job] = next;
      const result = await runJob(provider, job, options);
      results[at] = result;
      try {
        options.onResult?.(result);
      } catch {
        // It must not leave the other workers and their instances to themselves.
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, work));
  return results;
}

/** Never rejects: whatever happens is the job's result. */
async function runJob<P extends Provider>(
  provider: P,
  job: JobSpec<P>,
  options: RunJobsOptions<P>,
): Promise<JobResult> {
  const { key } = job;
  const { store } = options;
  const ids = JobRecord.recordId(provider, options.account ?? "", key);
  let lease: Lease | null = null;
  let repeated = false;
  try {
    lease = await store.acquire(ids.recordId);
    if (lease === null) throw refusal("CONFLICT", provider.name, "runJobs", `another process runs job ${key}`);
    const at = timestamp(options.clock ?? systemClock);
    const record = await JobRecord.read(store, ids, { key, argv: job.argv }, at);
    repeated = record.beginnings > (record.result === null ? 0 : 1);
    const signals = options.signal === undefined ? [lease.signal] : [lease.signal, options.signal];
    const held = { ...options, signal: AbortSignal.any(signals) };
    const machine = machineFor(provider, job, lease, held);
    if (record.result !== null) {
      const done = { state: "done", key, result: record.result, repeated, stored: true } as const;
      // A call that was killed between the two stored its result and left its machine.
      return await machine.settle().then(
        () => done,
        (leftover: unknown) => ({ ...done, leftover }),
      );
    }
    return { ...(await run(provider, job, held, record, machine, lease)), key, repeated, stored: false };
  } catch (thrown) {
    const error = lease === null || lease.held() ? thrown : leaseLost(key, thrown);
    return { state: "failed", key, error, repeated, stored: false };
  } finally {
    // The result is there. A lease that cannot be given back ends with this process.
    if (lease !== null) await store.release(lease).catch(() => undefined);
  }
}

function machineFor<P extends Provider>(
  provider: P,
  job: JobSpec<P>,
  lease: Lease,
  options: RunJobsOptions<P>,
): JobMachine {
  const { pool, reuse = true } = options;
  if (pool === undefined) return ownMachine(provider, job, lease, options);
  // The signatures have checked `access` against the provider's type.
  return pooledMachine(provider, job, lease, { ...(options as ErasedOptions), pool, reuse });
}

async function run<P extends Provider>(
  provider: P,
  job: JobSpec<P>,
  options: RunJobsOptions<P>,
  record: JobRecord,
  machine: JobMachine,
  lease: Lease,
): Promise<JobOutcome> {
  const { clock = systemClock, signal, retries = 2 } = options;
  const before = record.beginnings;
  if (before >= MOST_BEGINNINGS) {
    await machine.clear(true);
    const message = `job ${job.key} was begun twice, and no result was stored`;
    throw refusal("CONFLICT", provider.name, "runJobs", message);
  }
  await record.open();
  // An earlier call's command may still run in its instance: it must not run beside its repetition.
  await machine.clear(before > 0);
  for (let retry = 0; ; retry += 1) {
    if (signal?.aborted === true) throw cancelled(provider, job.key);
    try {
      return await tryOnce(provider, job, options, record, machine, lease);
    } catch (error) {
      const mayRetry = isProviderError(error) && error.retryable && !error.exhausted && record.beginnings === before;
      if (!mayRetry || retry >= retries) throw error;
      await clock.sleep(error.retryAfterMs ?? FIRST_PAUSE_MS * 2 ** retry, signal);
    }
  }
}

async function tryOnce<P extends Provider>(
  provider: P,
  job: JobSpec<P>,
  { clock = systemClock, signal }: RunJobsOptions<P>,
  record: JobRecord,
  machine: JobMachine,
  lease: Lease,
): Promise<JobOutcome> {
  const seen: { result?: SessionResult; storeError?: unknown } = {};
  try {
    await machine.use(record, async (session) => {
      await whenAvailable(clock, () => record.begin(), lease.held);
      let result: SessionResult;
      try {
        result = await session.exec(job.argv, { ...job.exec, signal });
      } catch (error) {
        if (isProviderError(error) && error.effect === "none") {
          await whenAvailable(clock, () => record.withdraw(), lease.held);
        }
        throw error;
      }
      seen.result = result;
      // Before the instance is ended: a crash while that takes its time loses no result.
      await whenAvailable(clock, () => record.complete(result), lease.held).catch((error: unknown) => {
        seen.storeError = error;
      });
    });
  } catch (leftover) {
    if (seen.result === undefined) throw leftover;
    return { state: "done", result: seen.result, leftover, ...stored(seen) };
  }
  if (seen.result === undefined) throw refusal("INTERNAL", provider.name, "runJobs", "the command gave no result");
  return { state: "done", result: seen.result, ...stored(seen) };
}

function stored(seen: { storeError?: unknown }): { storeError?: unknown } {
  return "storeError" in seen ? { storeError: seen.storeError } : {};
}

function cancelled({ name }: Provider, key: string): ProviderError<"CANCELLED"> {
  return refusal("CANCELLED", name, "runJobs", `job ${key} was cancelled before it began`);
}
