import {
  type Clock,
  type Instance,
  type Provider,
  ProviderError,
  projectProvider,
  type RemoteDate,
  systemClock,
} from "@slipway/core";
import { hasEnded } from "../launch/lookup.ts";
import { type LaunchRecord, launchId } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { terminateAndConfirm } from "../terminate-and-confirm.ts";
import { forgetGone, type IdleOptions, type IdleOutcome, type IdleRun, watchIdle } from "./idle.ts";
import { recordsOf } from "./launch-records.ts";
import { type ClockCheck, checkClock, type RemoteClock, timeOnAll } from "./remote-clock.ts";

export interface ReapOptions {
  /** The store that the launches used. Without it only what the remote itself tells of `expiresAt` counts. */
  readonly store?: LaunchStore | undefined;
  /** As it was given to `launch`. */
  readonly account?: string | undefined;
  /** What the providers' runtime reports to. Without it no clock is checked, and the report says so. */
  readonly remoteClock?: RemoteClock | undefined;
  /** How long after its `expiresAt` an instance is terminated, milliseconds; 10 minutes if absent. */
  readonly marginMs?: number | undefined;
  /** How far the clocks of this machine and of a remote may be apart, milliseconds; 2 minutes if absent. */
  readonly clockToleranceMs?: number | undefined;
  /** How long each provider's listing, and each confirmation of an end, may take, milliseconds; 2 and 10 minutes if absent. */
  readonly timeoutMs?: number | undefined;
  /** Also terminates what is idle. It needs the store, which keeps what each look saw. Absent: nothing is looked into. */
  readonly idle?: IdleOptions | undefined;
  /** Finds what is expired, and terminates nothing. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

interface ReapedBase {
  readonly instanceId: string;
  readonly key: string | null;
  readonly expiresAt: string;
}

/**
 * What became of one instance whose `expiresAt` has passed. `gone`: it had ended by itself. `expired`: only found, in a dry
 * run. `waiting`: not yet expired for the margin on every clock. `skipped`: what is there by now is not to be terminated.
 */
export type Reaped = ReapedBase &
  (
    | { readonly outcome: "terminated" | "gone" | "expired" }
    | { readonly outcome: "waiting" | "skipped"; readonly why: string }
    | { readonly outcome: "failed"; readonly error: unknown }
  );

/** What `reap` found at one provider, for one owner. */
export interface ProviderReap {
  readonly provider: string;
  readonly owner: string;
  readonly clock: ClockCheck;
  readonly instances: readonly Reaped[];
  /** Of the running instances that are not expired; empty without `idle`. */
  readonly idle: readonly IdleOutcome[];
  /** Why its instances could not all be listed, as in a region that is not configured, or the store's records of them not all be read. */
  readonly error?: unknown;
}

export interface ReapReport {
  readonly providers: readonly ProviderReap[];
  /**
   * Every provider was listed, every clock that a remote shows agrees, everything that was found expired is gone, and every
   * instance that may be idle could be looked into. False: something expired or idle may go on running, and the next call may do better.
   */
  readonly complete: boolean;
}

const MARGIN_MS = 600_000;
const TOLERANCE_MS = 120_000;
const LOOK_MS = 120_000;
const MOST_AT_ONCE = 8;

/**
 * Terminates what is expired, of each provider's own owner, and confirms it. Level-triggered: it goes by what it sees
 * now, so it may run at any time, any number of times and in several places at once. An `expiresAt` counts once it has
 * passed for the margin on this machine's clock and on the remote's, whichever is behind. Each instance is looked at
 * again right before it is terminated, under the lease of its key where there is a store. A provider that cannot be
 * listed keeps none of the others waiting; the report names it and is not complete.
 *
 * @example
 * ```ts
 * const { complete, providers } = await reap([provider], { dryRun: true });
 * if (!complete) console.log("not everything could be looked at", providers);
 * ```
 */
export async function reap(providers: readonly Provider[], options: ReapOptions = {}): Promise<ReapReport> {
  checkIdle(options);
  const projected = providers.map((provider): Provider => projectProvider<Provider>(provider));
  const looks = await Promise.all(projected.map((provider) => look(provider, options)));
  // A remote without a clock is judged by what the others say of this machine's.
  const everyDate = looks.flatMap(({ date }) => (date === undefined ? [] : [date]));
  const reaps = await Promise.all(
    looks.map(async (seen) => {
      const now = (): number => timeOnAll(seen.date === undefined ? everyDate : [seen.date], options.clock);
      return reapOne({ ...seen, now }, options);
    }),
  );
  return { providers: reaps, complete: reaps.every(isComplete) };
}

function checkIdle({ idle, store }: ReapOptions): void {
  if (idle === undefined || (store !== undefined && idle.forMs > 0)) return;
  throw new ProviderError("INVALID_SPEC", {
    message: store === undefined ? "reap: idle needs a store" : "reap: idle.forMs must be above 0",
    provider: "reap",
    operation: "reap",
    effect: "none",
    hint: "What one look saw is kept in a store until the next one: pass the one that the launches use.",
  });
}

function isComplete({ clock, instances, idle, error }: ProviderReap): boolean {
  const isOpen = ({ outcome }: Reaped | IdleOutcome): boolean => OPEN.has(outcome);
  return error === undefined && clock.state !== "differs" && !instances.some(isOpen) && !idle.some(isOpen);
}

const OPEN: ReadonlySet<(Reaped | IdleOutcome)["outcome"]> = new Set(["failed", "skipped", "unknown"] as const);

interface Look {
  readonly provider: Provider;
  readonly instances: readonly Instance[];
  /** By the id of the instance that a record names. */
  readonly records: ReadonlyMap<string, LaunchRecord>;
  readonly date: RemoteDate | undefined;
  readonly error?: unknown;
}

interface Judged extends Look {
  /** The earliest of the clocks that are known. */
  readonly now: () => number;
}

async function look(provider: Provider, options: ReapOptions): Promise<Look> {
  const { remoteClock, signal, timeoutMs = LOOK_MS } = options;
  const before = remoteClock?.latest(provider.name);
  const dateNow = (): RemoteDate | undefined => {
    const date = remoteClock?.latest(provider.name);
    return date === before ? undefined : date;
  };
  try {
    const listed = await provider.list({}, { signal, timeoutMs });
    const instances = listed.filter((one) => !hasEnded(one));
    const { records, unread } = await recordsOf(provider, instances, options);
    const seen = { provider, instances, records, date: dateNow() };
    return unread === undefined ? seen : { ...seen, error: unread };
  } catch (error) {
    return { provider, instances: [], records: new Map(), date: dateNow(), error };
  }
}

async function reapOne(judged: Judged, options: ReapOptions): Promise<ProviderReap> {
  const { provider, date, error, records } = judged;
  const clock = checkClock(date, options.clockToleranceMs ?? TOLERANCE_MS);
  // Asked as a member: a clock may be an object of a class.
  const own = options.clock ?? systemClock;
  const localNow = (): number => own.now();
  const queue = judged.instances.flatMap((instance) => {
    const expiresAt = expiryOf(instance, records);
    // Not yet passed on any clock: it is no finding at all.
    return Date.parse(expiresAt ?? "") <= Math.max(localNow(), remoteNow(date, localNow())) && expiresAt !== undefined
      ? [{ instanceId: instance.id, key: instance.key, expiresAt }]
      : [];
  });
  const instances = await inParallel(queue, (found) => reapInstance(judged, found, options));
  const idle = await watchAll(judged, new Set(queue.map(({ instanceId }) => instanceId)), options);
  const base = { provider: provider.name, owner: provider.owner, clock, instances, idle };
  return error === undefined ? base : { ...base, error };
}

async function watchAll(
  { provider, instances, error }: Judged,
  expired: ReadonlySet<string>,
  options: ReapOptions,
): Promise<readonly IdleOutcome[]> {
  const { idle, store, account = "", dryRun = false, signal, timeoutMs, clock } = options;
  if (idle === undefined || store === undefined) return [];
  const run: IdleRun = { idle, store, account, dryRun, signal, timeoutMs, clock };
  // Without a listing nothing is known to be gone.
  if (error === undefined)
    await forgetGone(provider, new Set(instances.map(({ id }) => id)), run).catch(() => undefined);
  const running = instances.filter(
    (one) =>
      one.status === "running" && one.owner === provider.owner && !expired.has(one.id) && idle.only?.(one) !== false,
  );
  return inParallel(running, (one) => watchIdle(provider, one, run));
}

function remoteNow(date: RemoteDate | undefined, local: number): number {
  return date === undefined ? local : local - (date.receivedAt - date.date);
}

function expiryOf(instance: Instance, records: ReadonlyMap<string, LaunchRecord>): string | undefined {
  // Not every remote keeps it; the store does.
  return instance.expiresAt ?? records.get(instance.id)?.expected.expiresAt;
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, items.length) }, worker));
  return results;
}

async function reapInstance(judged: Judged, found: ReapedBase, options: ReapOptions): Promise<Reaped> {
  const { signal, timeoutMs, store, account, clock } = options;
  try {
    if (signal?.aborted === true) return { ...found, outcome: "skipped", why: "it was cancelled before" };
    const objection = await underLease(judged, found, options);
    if (objection !== null) return { ...found, ...objection };
    await terminateAndConfirm(judged.provider, found.instanceId, { signal, timeoutMs, store, account, clock });
    return { ...found, outcome: "terminated" };
  } catch (error) {
    return { ...found, outcome: "failed", error };
  }
}

type Objection =
  | { readonly outcome: "gone" | "expired" }
  | { readonly outcome: "waiting" | "skipped"; readonly why: string };

/** Terminates it while nobody else works with its key, or says why not. */
async function underLease(judged: Judged, found: ReapedBase, options: ReapOptions): Promise<Objection | null> {
  const { store, account = "" } = options;
  const { name, owner } = judged.provider;
  if (store === undefined || found.key === null) return terminateExpired(judged, found, options);
  const lease = await store.acquire(launchId({ provider: name, account, owner, key: found.key }));
  if (lease === null) return { outcome: "skipped", why: "another process works with this key now" };
  try {
    return await terminateExpired(judged, found, options);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

async function terminateExpired(judged: Judged, found: ReapedBase, options: ReapOptions): Promise<Objection | null> {
  const { provider, now, records } = judged;
  const { marginMs = MARGIN_MS, timeoutMs, signal, dryRun = false } = options;
  const call = { signal, timeoutMs };
  const instance = await provider.get(found.instanceId, call);
  if (instance === null || hasEnded(instance)) return { outcome: "gone" };
  if (instance.owner !== null && instance.owner !== provider.owner) {
    return { outcome: "skipped", why: "it is another owner's" };
  }
  if (instance.key !== found.key) return { outcome: "skipped", why: "it has another key now" };
  const expiresAt = expiryOf(instance, records) ?? "";
  if (!(Date.parse(expiresAt) + marginMs <= now())) {
    return {
      outcome: "waiting",
      why: `it expires at ${expiresAt}, which has not passed for the margin on every clock`,
    };
  }
  if (dryRun) return { outcome: "expired" };
  await provider.terminate(found.instanceId, call);
  return null;
}
