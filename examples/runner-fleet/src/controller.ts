import type { Pool, Store } from "@slipway/control";
import { type Provider, systemClock } from "@slipway/core";
import { runJobs, type SshAccess } from "@slipway/reach";
import { finalResult, type Jobs } from "./jobs.ts";

/** A provider, the machines that are kept ready there, and the jobs that are meant for it. */
export interface Place {
  readonly provider: Provider;
  readonly machines: Pool;
  readonly jobs: Jobs;
  readonly store: Store;
  /** How to log in where the provider has no exec of its own; its file is not read elsewhere. */
  readonly access: SshAccess;
}

export interface ControllerOptions {
  /** Jobs at once in each place. No more than the pool has machines. */
  readonly concurrency: number;
  /** Between two rounds, milliseconds. */
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /** Once it is aborted, the controller ends as soon as no job is open, with the pools emptied. A service goes on for ever. */
  readonly drain: AbortSignal;
  readonly note: (line: string) => void;
}

/**
 * One controller: any number of them may work on the same places. All that they share is the database, so that each may be
 * killed at any moment: another one goes on once the leases of its host have expired.
 */
export async function runController(places: readonly Place[], options: ControllerOptions): Promise<void> {
  await Promise.all(places.map((place) => workAt(place, options)));
}

async function workAt(place: Place, options: ControllerOptions): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, done.signal]);
  const keeping = keepMachines(place, { ...options, signal });
  try {
    await workOff(place, options);
  } finally {
    done.abort();
    await keeping;
  }
  if (!options.signal.aborted) await empty(place, options);
}

/** Round after round: what one could not do, the next one does. */
async function keepMachines({ machines }: Place, options: ControllerOptions): Promise<void> {
  while (!options.signal.aborted) {
    await attempt(options, () => machines.keep({ signal: options.signal }));
    await pause(options);
  }
}

async function workOff(place: Place, options: ControllerOptions): Promise<void> {
  while (!options.signal.aborted) {
    const isLast = options.drain.aborted;
    const open = await attempt(options, () => place.jobs.open(options.concurrency));
    if (open?.length === 0 && isLast) return;
    if (open !== undefined && open.length > 0) await attempt(options, () => runOpen(place, open, options));
    await pause(options);
  }
}

async function runOpen(
  { provider, machines, store, access, jobs }: Place,
  open: Awaited<ReturnType<Jobs["open"]>>,
  { concurrency, signal, note }: ControllerOptions,
): Promise<void> {
  const results = await runJobs(provider, open, { store, access, pool: machines, concurrency, signal });
  for (const one of results) {
    const result = finalResult(one);
    if (result !== null) await jobs.finish(one.key, result);
    // Another controller has it, or the next round brings it.
    else note(`job ${one.key}: ${String(one.state === "failed" ? one.error : one.leftover)}`);
  }
}

async function empty({ machines }: Place, options: ControllerOptions): Promise<void> {
  for (;;) {
    await attempt(options, () => machines.resize({ desired: 0 }));
    await attempt(options, () => machines.keep());
    const slots = await attempt(options, () => machines.slots());
    if (slots?.every(({ state }) => state === "empty" || state === "failed") === true) return;
    await pause(options);
  }
}

/** A controller outlives what fails: the database restarts, a provider has no capacity. */
async function attempt<T>({ note, signal }: ControllerOptions, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!signal.aborted) note(String(error));
    return undefined;
  }
}

async function pause({ pauseMs, signal }: ControllerOptions): Promise<void> {
  await systemClock.sleep(pauseMs, signal).catch(() => undefined);
}
