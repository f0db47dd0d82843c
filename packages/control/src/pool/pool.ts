import {
  type BaseSpawnOptions,
  type Clock,
  type Provider,
  ProviderError,
  projectProvider,
  type RuntimeEvent,
  type SpawnOptionsOf,
  specHash,
  systemClock,
  timestamp,
} from "@slipway/core";
import { hasEnded } from "../launch/lookup.ts";
import type { Lease, Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { act, backoff, type Keeper } from "./keep.ts";
import { type PoolChange, type PoolFindings, type PoolReplacement, planPool } from "./plan.ts";
import { type PoolSize, type PoolSlot, poolRecords } from "./slot.ts";

export interface PoolSpec<P extends Provider = Provider> extends PoolSize {
  /** Part of every slot's key: `[a-z0-9-]{1,63}`. Owner and account as in `launch`. */
  readonly name: string;
  /** What each machine is launched with; its hash is the pool's generation. A `key` in it is not used. */
  readonly spawn: SpawnOptionsOf<P>;
  readonly placements?: readonly Partial<SpawnOptionsOf<P>>[] | undefined;
  /** The order of placements for each slot: as given, or begun at another one for each slot. "fill" if absent. */
  readonly spread?: "fill" | "even" | undefined;
  /** Machines that are older are replaced; counted from when a controller first saw them, so never too early. */
  readonly ttlMs?: number | undefined;
  /** `{ onDrift: true, most: 1, surge: false }` if absent. */
  readonly replace?: PoolReplacement | undefined;
  /** How long a placement is left alone after a failure: the first time, and at most. 1 s and 5 min if absent. */
  readonly backoffMs?: readonly [first: number, longest: number] | undefined;
}

export interface PoolOptions {
  readonly store: Store;
  readonly account?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
}

/** Machines that are kept ready. Any number of controllers may work with one pool, if they share a store. */
export interface Pool {
  /** Are its machines launched with a bootstrap? Then it must have succeeded before one is used. */
  readonly hasBootstrap: boolean;
  readonly slots: () => Promise<readonly PoolSlot[]>;
  /** What one round would do now. Changes nothing. */
  readonly plan: () => Promise<readonly PoolChange[]>;
  /**
   * One round: plans from the store and a listing, then acts under each slot's lease; resolves with what was done. Call it
   * again and again. Rejects, with nothing changed, if the store or the listing cannot be read.
   */
  readonly keep: (options?: { readonly signal?: AbortSignal | undefined }) => Promise<readonly PoolChange[]>;
  /** An idle machine of the current generation; the same claim gets the same slot; null if there is none. */
  readonly claim: (claim: string) => Promise<PoolSlot | null>;
  /** Gives a machine back; with `reuse: false` it is ended, for one job per machine. A claim without a slot resolves. */
  readonly release: (claim: string, options?: { readonly reuse?: boolean | undefined }) => Promise<void>;
  /** Sets the size for all controllers, from now on instead of the one in their code. Claimed machines are drained. */
  readonly resize: (size: Partial<PoolSize>) => Promise<void>;
}

/** As the signature below, without the provider's own type: it has checked the options against it. */
interface ErasedSpec extends Omit<PoolSpec, "spawn" | "placements"> {
  readonly spawn: BaseSpawnOptions;
  readonly placements?: readonly BaseSpawnOptions[] | undefined;
}

const REPLACE: PoolReplacement = { onDrift: true, most: 1, surge: false };
const BACKOFF_MS = [1000, 300_000] as const;
const KEYS_AT_ONCE = 100;
const LEASE_WAIT_MS = 60_000;
const LEASE_LOOK_MS = 50;

/**
 * Keeps machines ready without a lock on the whole: a pool has `max` numbered slots, a slot's number is part of its key, and
 * `launch` has one instance for each key. So `max` holds for any number of controllers, whichever of them are killed.
 *
 * @example
 * ```ts
 * const workers = pool(provider, { name: "workers", desired: 1, max: 6, spawn: { spec: "m1.small" } }, { store });
 * await workers.keep();
 * (await workers.slots()).length; // => 6
 * ```
 */
export function pool<P extends Provider>(provider: P, spec: PoolSpec<P>, options: PoolOptions): Pool;
export function pool(exact: Provider, spec: ErasedSpec, options: PoolOptions): Pool {
  const provider: Provider = projectProvider<Provider>(exact);
  const { store, account = "", clock = systemClock, onEvent } = options;
  checkSpec(provider, spec);
  const records = poolRecords(provider, spec.name, account, store, clock);
  const { key: _key, ...spawn } = spec.spawn;
  const placements = spec.placements === undefined || spec.placements.length === 0 ? [{}] : spec.placements;
  const generation = specHash({ ...spawn, key: spec.name });
  const keeper: Keeper = {
    provider,
    store,
    account,
    clock,
    records,
    generation,
    spawn,
    placements,
    isEven: spec.spread === "even",
    backoff: backoff(clock, spec.backoffMs ?? BACKOFF_MS),
    onEvent,
  };
  const watched = new Map<string, { readonly since: number; readonly ageMs: number }>();
  const replace = spec.replace ?? REPLACE;

  /** Its age as it stands in the store when this controller first sees it, and what has passed here since: never too much. */
  const aged = (slot: PoolSlot): PoolSlot => {
    if (slot.instanceId === undefined) return slot;
    const seen = watched.get(slot.instanceId) ?? { since: clock.now(), ageMs: slot.ageMs };
    watched.set(slot.instanceId, seen);
    return { ...slot, ageMs: Math.max(slot.ageMs, seen.ageMs + clock.now() - seen.since) };
  };

  const readSize = async (): Promise<PoolSize> =>
    (await records.readSize()) ?? { max: spec.max, desired: spec.desired };

  const readSlots = async (): Promise<readonly PoolSlot[]> => {
    const { max } = await readSize();
    const known = await records.readSlots();
    const missing = Array.from({ length: max }, (_value, slot) => slot).filter((slot) => !known.has(slot));
    const empty = missing.map((slot): PoolSlot => {
      return { slot, key: records.keyOf(slot), generation: "", state: "empty", since: timestamp(clock), ageMs: 0 };
    });
    const shown = [...known.values()].filter(({ slot, state }) => slot < max || state !== "empty");
    return [...shown, ...empty].sort((one, other) => one.slot - other.slot);
  };

  const look = async (signal?: AbortSignal): Promise<PoolFindings> => {
    const size = await readSize();
    // Before the listing: what is launched meanwhile is no instance that the listing does not show.
    const slots = (await readSlots()).map(aged);
    const living = new Set<string>();
    const keys = slots.filter(({ instanceId }) => instanceId !== undefined).map(({ key }) => key);
    for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
      const listed = await provider.list({ keys: keys.slice(at, at + KEYS_AT_ONCE) }, signal ? { signal } : {});
      for (const instance of listed) if (!hasEnded(instance)) living.add(instance.id);
    }
    const unseen = slots.filter(({ instanceId }) => instanceId !== undefined && !living.has(instanceId));
    for (const id of [...watched.keys()]) if (!slots.some(({ instanceId }) => instanceId === id)) watched.delete(id);
    return {
      size,
      slots,
      generation,
      ttlMs: spec.ttlMs,
      replace,
      unseen: new Set(unseen.map(({ slot }) => slot)),
      mayLaunch: placements.some((_placement, index) => keeper.backoff.isOpen(index)),
    };
  };

  /** Another controller goes on from there, should this one end. */
  const keepAge = async (slot: PoolSlot, ttlMs: number): Promise<void> => {
    const lease = await store.acquire(records.slotId(slot.slot));
    if (lease === null) return;
    try {
      const now = await records.readSlot(slot.slot);
      if (now.instanceId !== slot.instanceId || slot.ageMs - now.ageMs < ttlMs / AGE_STEPS) return;
      await records.writeSlot({ ...now, ageMs: slot.ageMs });
    } finally {
      await store.release(lease);
    }
  };

  const leaseOf = async (id: string): Promise<Lease> => {
    for (const until = clock.now() + LEASE_WAIT_MS; ; ) {
      const lease = await store.acquire(id);
      if (lease !== null) return lease;
      if (clock.now() >= until) throw busy(spec.name);
      await clock.sleep(LEASE_LOOK_MS);
    }
  };

  const under = async <T>(id: string, work: (lease: Lease) => Promise<T>): Promise<T> => {
    const lease = await leaseOf(id);
    try {
      return await work(lease);
    } finally {
      await store.release(lease);
    }
  };

  return {
    hasBootstrap: [spawn, ...placements].some(({ bootstrap }) => bootstrap !== undefined),
    slots: readSlots,
    plan: async () => planPool(await look()),
    keep: async ({ signal } = {}) => {
      const findings = await look(signal);
      const changes = planPool(findings);
      const slotOf = new Map(findings.slots.map((slot) => [slot.slot, slot]));
      const done = await Promise.allSettled(
        changes.map(async (change) => {
          const planned = slotOf.get(change.slot);
          return planned !== undefined && (await act(keeper, change, planned, signal));
        }),
      );
      const { ttlMs } = spec;
      if (ttlMs !== undefined) {
        const stored = await records.readSlots();
        const lagging = findings.slots.filter(({ slot, ageMs, instanceId }) => {
          return instanceId !== undefined && ageMs - (stored.get(slot)?.ageMs ?? ageMs) >= ttlMs / AGE_STEPS;
        });
        for (const slot of lagging) await keepAge(slot, ttlMs);
      }
      const failures = done.flatMap((one): readonly unknown[] => (one.status === "rejected" ? [one.reason] : []));
      if (failures.length > 0) throw failures[0];
      return changes.filter((_change, index) => done[index]?.status === "fulfilled" && done[index].value);
    },
    claim: (claim) =>
      // Two who make the same claim at once get the same slot.
      under(records.claimId(claim), async (claimLease) => {
        const { max } = await readSize();
        const slots = [...(await records.readSlots()).values()].sort((one, other) => one.slot - other.slot);
        const own = slots.find((slot) => slot.claim === claim);
        if (own !== undefined) return own;
        for (const { slot, state } of slots) {
          if (state !== "idle" || slot >= max) continue;
          const lease = await store.acquire(records.slotId(slot));
          if (lease === null) continue;
          try {
            const now = await records.readSlot(slot);
            const isCurrent = !replace.onDrift || now.generation === generation;
            if (now.state !== "idle" || !isCurrent || !claimLease.held()) continue;
            const claimed: PoolSlot = { ...now, state: "claimed", claim, since: timestamp(clock) };
            await records.writeSlot(claimed);
            return claimed;
          } finally {
            await store.release(lease);
          }
        }
        return null;
      }),
    release: async (claim, { reuse = true } = {}) => {
      const own = [...(await records.readSlots()).values()].find((slot) => slot.claim === claim);
      if (own === undefined) return;
      await under(records.slotId(own.slot), async () => {
        const { claim: current, ...rest } = await records.readSlot(own.slot);
        if (current !== claim) return;
        const state = reuse && rest.state === "claimed" ? "idle" : "ending";
        await records.writeSlot({ ...rest, state, since: timestamp(clock) });
      });
    },
    resize: (change) =>
      under(records.sizeId, async () => {
        const size = { ...(await readSize()), ...change };
        checkSize(provider, size);
        await store.write(records.sizeId, records.sizeRecord(size));
      }),
  };
}

const AGE_STEPS = 10;

function busy(name: string): StoreError {
  return new StoreError("UNAVAILABLE", {
    message: `another process works on the same part of the pool ${name} for more than ${LEASE_WAIT_MS / 1000} s`,
    hint: "Try again; a process that is gone gives its lease back by itself.",
  });
}

function checkSpec(provider: Provider, spec: ErasedSpec): void {
  if (!/^[a-z0-9-]{1,63}$/.test(spec.name)) throw invalid(provider, "the pool's name must match [a-z0-9-]{1,63}");
  if (spec.ttlMs !== undefined && !(spec.ttlMs > 0)) throw invalid(provider, "ttlMs must be positive");
  if (spec.replace !== undefined && !(spec.replace.most >= 1))
    throw invalid(provider, "replace.most must be at least 1");
  checkSize(provider, spec);
}

function checkSize(provider: Provider, { max, desired }: PoolSize): void {
  const wanted = typeof desired === "number" ? desired : desired.minIdle;
  const areCounts = [max, wanted].every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!areCounts) throw invalid(provider, "max and desired must be whole numbers, 0 or more");
}

function invalid(provider: Provider, message: string): ProviderError {
  return new ProviderError("INVALID_SPEC", { message, provider: provider.name, operation: "launch", effect: "none" });
}
