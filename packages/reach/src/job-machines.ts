import { type Lease, launchId, type Pool, type PoolSlot, StoreError, terminateAndConfirm } from "@slipway/control";
import { isProviderError, type Provider, type SpawnOptionsOf, systemClock } from "@slipway/core";
import { endUnderKey, whenAvailable } from "./end-launch.ts";
import type { JobRecord } from "./job-record.ts";
import { pause } from "./pause.ts";
import { refusal } from "./refusal.ts";
import type { JobSpec, RunJobsOptions } from "./run-jobs.ts";
import type { Session } from "./session.ts";
import { type ErasedOptions, prepared, READY_TIMEOUT_MS, withInstanceUnder } from "./with-instance.ts";

/** Where one job finds its machine: an instance of its own, or one of a pool. The caller holds the job's lease. */
export interface JobMachine {
  /** Nothing of an earlier call runs any more, and it holds no machine. `begun`: its command may run still. */
  readonly clear: (begun: boolean) => Promise<void>;
  /** The job's result is stored: ends or gives back what a call left that was killed after it had stored that. */
  readonly settle: () => Promise<void>;
  /** Does the work with a session, and then ends the machine or gives it back, whatever happened. */
  readonly use: (record: JobRecord, work: (session: Session) => Promise<void>) => Promise<void>;
}

/** Another process may run the job by now: what was under way here was stopped. */
export function leaseLost(key: string, cause?: unknown): StoreError {
  return new StoreError("NOT_HELD", {
    message: `the lease of job ${key} was lost while it ran`,
    hint: "Call runJobs again: it returns the result that another process may have stored, or runs the job once more.",
    cause,
  });
}

/** Launched for the job, and ended after it. */
export function ownMachine<P extends Provider>(
  provider: P,
  { key, options }: JobSpec<P>,
  lease: Lease,
  control: RunJobsOptions<P>,
): JobMachine {
  const { clock = systemClock, ttlMs, store, account = "" } = control;
  const instanceKey = `job-${key}`;
  const mustHold = (): void => {
    if (!lease.held()) throw leaseLost(key);
  };
  /** Whoever has the job's lease has its instance too, under the same key, and ends it. */
  const underLease = async (end: () => Promise<void>): Promise<void> => {
    if (lease.held()) return await end();
    const again = await whenAvailable(clock, () => store.acquire(lease.id));
    if (again === null) throw leaseLost(key);
    try {
      await end();
    } finally {
      await store.release(again).catch(() => undefined);
    }
  };
  return {
    clear: async (begun) => {
      if (begun) await endUnderKey(provider, instanceKey, clock, 0, mustHold);
    },
    settle: async () => {
      const recordId = launchId({ provider: provider.name, account, owner: provider.owner, key: instanceKey });
      // Where its end was confirmed there is no such record, and the remote need not be asked.
      const record = await whenAvailable(clock, () => store.read(recordId));
      if (record?.kind !== "launch" || record.state !== "launched" || record.instanceId === undefined) return;
      await terminateAndConfirm(provider, record.instanceId, { clock, store, account });
    },
    use: async ({ startedAt }, work) => {
      const expiry = ttlMs === undefined ? {} : { expiresAt: new Date(Date.parse(startedAt) + ttlMs).toISOString() };
      const spawning: SpawnOptionsOf<P> = { ...options, ...expiry, key: instanceKey };
      await withInstanceUnder(provider, spawning, control, work, underLease);
    },
  };
}

const POLL_MS = 1000;

/**
 * Claimed of a pool for one job. The claim's name holds the token of the job's lease: a process that has lost the lease, and
 * does not know it yet, can give back only what it has claimed itself.
 */
export function pooledMachine(
  provider: Provider,
  { key }: Pick<JobSpec, "key">,
  lease: Lease,
  control: ErasedOptions & { readonly pool: Pool; readonly reuse: boolean },
): JobMachine {
  const { pool, reuse, store, account, signal, clock = systemClock, readyTimeoutMs = READY_TIMEOUT_MS } = control;
  const { prefix, claim } = claimNames(key, lease);
  const giveBack = (name: string, isWhole: boolean): Promise<void> =>
    whenAvailable(clock, () => pool.release(name, { reuse: reuse && isWhole }));

  const claimOne = async (): Promise<PoolSlot & { readonly instanceId: string }> => {
    for (const until = clock.now() + readyTimeoutMs; ; ) {
      const slot = await whenAvailable(clock, () => pool.claim(claim));
      const { instanceId } = slot ?? {};
      if (slot !== null && instanceId !== undefined) return { ...slot, instanceId };
      if (clock.now() >= until) {
        throw refusal("TIMEOUT", provider.name, "runJobs", `the pool had no machine for job ${key} in time`, {
          hint: "Make it larger, or look at `slots` for why it has none; somebody must call its `keep` again and again.",
        });
      }
      await pause({ provider: provider.name, clock }, "runJobs", POLL_MS, signal);
    }
  };

  const clear = async (begun: boolean): Promise<void> => {
    const slots = await whenAvailable(clock, () => pool.slots());
    for (const { claim: earlier, instanceId } of slots) {
      if (earlier?.startsWith(prefix) !== true) continue;
      // Its command must not run beside the repetition, so that its end is waited for.
      if (begun && instanceId !== undefined) await terminateAndConfirm(provider, instanceId, { clock, store, account });
      await giveBack(earlier, !begun);
    }
  };
  return {
    clear,
    settle: () => clear(false),
    use: async (_record, work) => {
      const faults: unknown[] = [];
      let isWhole = false;
      try {
        const { instanceId } = await claimOne();
        const options = pool.hasBootstrap ? { bootstrap: { script: "" } } : {};
        await prepared(provider, instanceId, options, control, work, clock);
        isWhole = true;
      } catch (error) {
        faults.push(error);
        isWhole = leavesItWhole(error);
      }
      // Also where no slot is known: a claim whose answer was lost may have got one.
      await giveBack(claim, isWhole).catch((error: unknown) => faults.push(error));
      if (faults.length > 1) {
        throw new AggregateError(faults, `job ${key} failed, and its machine was not given back to the pool`);
      }
      if (faults.length > 0) throw faults[0];
    },
  };
}

function claimNames(key: string, { token }: Lease): { readonly prefix: string; readonly claim: string } {
  const prefix = `job/${encodeURIComponent(key)}/`;
  return { prefix, claim: prefix + token };
}

/** Nothing ran, and it says nothing of the machine. */
function leavesItWhole(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && ["INVALID_SPEC", "CANCELLED"].includes(error.code);
}
