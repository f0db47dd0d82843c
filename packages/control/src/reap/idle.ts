import { type Clock, type Instance, type Provider, systemClock, timestamp } from "@slipway/core";
import { hasEnded } from "../launch/lookup.ts";
import { type DataRecord, type JsonValue, launchId, recordId, type StoredRecord } from "../store/record.ts";
import type { LaunchStore, Lease } from "../store/store.ts";
import { terminateAndConfirm } from "../terminate-and-confirm.ts";
import { type IdleLook, type IdleSession, lookInside } from "./idle-look.ts";

/** Opt-in: what is not used ends, too. */
export interface IdleOptions {
  /** For how long processor and GPUs must have been idle, milliseconds. */
  readonly forMs: number;
  /**
   * Opens a way into an instance: `openSession` of `@slipway/reach`, with a key where the provider has no exec. What it shows
   * is believed: an instance that lies ends, or does not end, itself.
   */
  readonly openSession: (provider: Provider, instance: Instance) => Promise<IdleSession>;
  /** Up to how much processor time a second counts as idle; 0.1 if absent, of however many processors. */
  readonly maxBusyCpus?: number | undefined;
  /** Which instances are looked at; all if absent. */
  readonly only?: ((instance: Instance) => boolean) | undefined;
}

/** What an idle check needs beside that. */
export interface IdleRun {
  readonly store: LaunchStore;
  readonly account: string;
  readonly idle: IdleOptions;
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

interface Watched {
  readonly instanceId: string;
  readonly key: string | null;
}

/**
 * What became of one running instance. `busy`: it was used since the last look. `watching`: idle so far, and not for long
 * enough. `idle`: idle for long enough, in a dry run. `unknown`: its session does not show what must be known, and it stays.
 */
export type IdleOutcome = Watched &
  (
    | { readonly outcome: "terminated" | "idle"; readonly idleMs: number }
    | { readonly outcome: "watching"; readonly idleMs: number }
    | { readonly outcome: "busy" | "gone" }
    | { readonly outcome: "unknown" | "skipped"; readonly why: string }
    | { readonly outcome: "failed"; readonly error: unknown }
  );

/** Since when an instance has been idle, and what the last look showed. */
interface IdleState {
  readonly boot: string;
  readonly counter: IdleLook["counter"];
  readonly since: { readonly at: number; readonly uptimeS: number };
  readonly last: { readonly at: number; readonly uptimeS: number; readonly busyS: number };
}

const MAX_BUSY_CPUS = 0.1;
const MAX_BUSY_GPU_PERCENT = 5;
const LOOK_MS = 60_000;

/**
 * Looks into one instance, remembers what it saw, and terminates it once it has been idle for so long on this machine's clock
 * and on its own. Nothing but its own session counts. The next look goes on from the store.
 */
export async function watchIdle(provider: Provider, instance: Instance, run: IdleRun): Promise<IdleOutcome> {
  const { id: instanceId, key } = instance;
  const watched = { instanceId, key };
  try {
    if (run.signal?.aborted === true) return { ...watched, outcome: "skipped", why: "it was cancelled before" };
    const { name, owner } = provider;
    const id = recordId("idle", name, run.account, owner, instanceId);
    const lease = await run.store.acquire(id);
    if (lease === null) return { ...watched, outcome: "skipped", why: "another process looks at it now" };
    try {
      return { ...watched, ...(await watchLeased(provider, instance, run, id)) };
    } finally {
      await run.store.release(lease).catch(() => undefined);
    }
  } catch (error) {
    return { ...watched, outcome: "failed", error };
  }
}

type Outcome = IdleOutcome extends infer T ? (T extends Watched ? Omit<T, keyof Watched> : never) : never;

async function watchLeased(provider: Provider, instance: Instance, run: IdleRun, id: string): Promise<Outcome> {
  const { store, idle, clock = systemClock } = run;
  const seen = await look(provider, instance, run);
  // A streak that nobody could watch is none.
  if (typeof seen === "string") {
    await store.remove(id);
    return { outcome: "unknown", why: seen };
  }
  const now = clock.now();
  const before = stateOf(await store.read(id));
  const verdict = judge(before, seen, now, idle);
  const idleMs = Math.min(now - verdict.since.at, (seen.uptimeS - verdict.since.uptimeS) * 1000);
  if (verdict.since.at !== now && idleMs >= idle.forMs) {
    if (run.dryRun) return { outcome: "idle", idleMs };
    const objection = await terminateIdle(provider, instance, run);
    if (objection !== null) return objection;
    await store.remove(id);
    return { outcome: "terminated", idleMs };
  }
  await store.write(id, recordOf(provider, instance, run, verdict));
  return before !== null && verdict.since.at === now ? { outcome: "busy" } : { outcome: "watching", idleMs };
}

async function look(provider: Provider, instance: Instance, run: IdleRun): Promise<IdleLook | string> {
  const call = { signal: run.signal, timeoutMs: LOOK_MS };
  await using session = await run.idle.openSession(provider, instance);
  return await lookInside(session, call, (instance.resources?.gpus?.count ?? 0) > 0);
}

/** The state after this look: the same streak, or one that begins now. */
function judge(before: IdleState | null, seen: IdleLook, now: number, idle: IdleOptions): IdleState {
  const { boot, counter, uptimeS, busyS, gpus } = seen;
  const last = { at: now, uptimeS, busyS };
  const begun: IdleState = { boot, counter, since: { at: now, uptimeS }, last };
  if (before === null || before.boot !== boot || before.counter !== counter) return begun;
  const elapsedS = uptimeS - before.last.uptimeS;
  const usedS = busyS - before.last.busyS;
  // A counter that runs backwards began anew.
  if (elapsedS <= 0 || usedS < 0 || now < before.last.at) return begun;
  // Written so that a limit that is no number makes nothing idle.
  if (!(usedS / elapsedS <= (idle.maxBusyCpus ?? MAX_BUSY_CPUS))) return begun;
  if (gpus.some((percent) => percent > MAX_BUSY_GPU_PERCENT)) return begun;
  // A GPU shows this moment alone: of a long time nobody looked, it says nothing.
  if (gpus.length > 0 && now - before.last.at > idle.forMs / 2) return begun;
  return { boot, counter, since: before.since, last };
}

type Objection = { readonly outcome: "gone" } | { readonly outcome: "skipped"; readonly why: string };

/** Terminates it while nobody else works with its key, or says why not. */
async function terminateIdle(provider: Provider, { id, key }: Instance, run: IdleRun): Promise<Objection | null> {
  const { store, account, signal, timeoutMs, clock } = run;
  const { name, owner } = provider;
  const lease: Lease | null =
    key === null ? null : await store.acquire(launchId({ provider: name, account, owner, key }));
  if (key !== null && lease === null) return { outcome: "skipped", why: "another process works with this key now" };
  try {
    const there = await provider.get(id, { signal, timeoutMs });
    if (there === null || hasEnded(there)) return { outcome: "gone" };
    if (there.owner !== owner) return { outcome: "skipped", why: "it is not this owner's" };
    if (there.key !== key) return { outcome: "skipped", why: "it has another key now" };
    await provider.terminate(id, { signal, timeoutMs });
  } finally {
    if (lease !== null) await store.release(lease).catch(() => undefined);
  }
  await terminateAndConfirm(provider, id, { signal, timeoutMs, store, account, clock });
  return null;
}

function recordOf(provider: Provider, { id }: Instance, { account, clock }: IdleRun, state: IdleState): DataRecord {
  const { name, owner } = provider;
  const data = { boot: state.boot, counter: state.counter, since: { ...state.since }, last: { ...state.last } };
  const at = timestamp(clock ?? systemClock);
  return { kind: "idle", name: id, owner, provider: name, account, state: "watching", at, data };
}

/** Null for what this version did not write: a streak begins anew. */
function stateOf(record: StoredRecord | null): IdleState | null {
  if (record?.kind !== "idle") return null;
  const { boot, counter, since, last } = fields(record.data);
  const [from, to] = [fields(since), fields(last)];
  if (typeof boot !== "string" || (counter !== "machine" && counter !== "container")) return null;
  if (typeof from["at"] !== "number" || typeof from["uptimeS"] !== "number") return null;
  if (typeof to["at"] !== "number" || typeof to["uptimeS"] !== "number" || typeof to["busyS"] !== "number") return null;
  return {
    ...{ boot, counter },
    since: { at: from["at"], uptimeS: from["uptimeS"] },
    last: { at: to["at"], uptimeS: to["uptimeS"], busyS: to["busyS"] },
  };
}

function fields(value: JsonValue | undefined): { readonly [name: string]: JsonValue | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: JsonValue })
    : {};
}

/** What was remembered of instances that are no longer there is forgotten. */
export async function forgetGone(
  { name, owner }: Provider,
  there: ReadonlySet<string>,
  { store, account }: IdleRun,
): Promise<void> {
  for await (const { id, record } of store.entries({ kind: "idle", provider: name, account, owner })) {
    if (record.kind !== "idle" || there.has(record.name)) continue;
    const lease = await store.acquire(id);
    if (lease === null) continue;
    try {
      await store.remove(id);
    } finally {
      await store.release(lease).catch(() => undefined);
    }
  }
}
