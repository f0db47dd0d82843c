import {
  type BaseSpawnOptions,
  type Clock,
  type Instance,
  isProviderError,
  type Provider,
  type ProviderError,
  type RuntimeEvent,
  timestamp,
} from "@slipway/core";
import { mayLive } from "../anywhere/anywhere-record.ts";
import { isAboutThePlace } from "../launch/attempt.ts";
import { launch } from "../launch/launch.ts";
import { hasEnded } from "../launch/lookup.ts";
import { launchId } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import { terminateAndConfirm } from "../terminate-and-confirm.ts";
import { recordError } from "../workflow/workflow-error.ts";
import { IS_GONE, type PoolChange } from "./plan.ts";
import type { PoolRecords, PoolSlot } from "./slot.ts";

/** What every action of a pool works with. */
export interface Keeper {
  readonly provider: Provider;
  readonly store: Store;
  readonly account: string;
  readonly clock: Clock;
  readonly records: PoolRecords;
  readonly generation: string;
  readonly spawn: BaseSpawnOptions;
  readonly placements: readonly BaseSpawnOptions[];
  readonly isEven: boolean;
  readonly backoff: Backoff;
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
}

/**
 * Does one change under the slot's lease, if the slot is still as it was planned for. False: another controller works on it
 * or was faster, which the next round sees.
 */
export async function act(
  keeper: Keeper,
  change: PoolChange,
  planned: PoolSlot,
  signal?: AbortSignal,
): Promise<boolean> {
  const { store, records } = keeper;
  const lease = await store.acquire(records.slotId(change.slot));
  if (lease === null) return false;
  try {
    const slot = await records.readSlot(change.slot);
    if (!isSame(slot, planned)) return false;
    const either = signal === undefined ? lease.signal : AbortSignal.any([signal, lease.signal]);
    if (change.action === "launch") return await launchIn(keeper, slot, either);
    if (change.action === "end") {
      // A listing may lag behind a launch that another controller has just made.
      const mustBeGone = change.reason === IS_GONE || slot.claim !== undefined;
      return await endSlot(keeper, slot, mustBeGone, either);
    }
    await records.writeSlot({ ...slot, state: "draining", since: timestamp(keeper.clock) });
    return true;
  } catch (error) {
    // The lease was lost, and whoever has it now goes on from what is written.
    if (isStoreError(error, "NOT_HELD")) return false;
    throw error;
  } finally {
    await store.release(lease);
  }
}

function isSame(one: PoolSlot, other: PoolSlot): boolean {
  return (["state", "instanceId", "claim", "generation"] as const).every((name) => one[name] === other[name]);
}

async function launchIn(keeper: Keeper, slot: PoolSlot, signal: AbortSignal): Promise<boolean> {
  const { records, clock, generation } = keeper;
  const { instanceId: _instance, claim: _claim, lastError: _error, ...rest } = slot;
  // What was begun by an earlier version keeps its generation: it may turn out to be there.
  const begun: PoolSlot =
    slot.state === "launching" ? rest : { ...rest, state: "launching", generation, since: timestamp(clock), ageMs: 0 };
  await records.writeSlot(begun);
  try {
    const { id } = await launchSomewhere(keeper, slot, signal);
    await records.writeSlot({ ...begun, state: "idle", generation, instanceId: id, since: timestamp(clock) });
    return true;
  } catch (error) {
    if (!isProviderError(error)) throw error;
    const there = error.code === "CONFLICT" ? await standingThere(keeper, slot, error, signal) : undefined;
    const lastError = recordError(error);
    const since = timestamp(clock);
    if (there !== undefined) {
      // It was launched with other options, so that this generation is the one that it is not of.
      const other = begun.generation === generation ? "" : begun.generation;
      await records.writeSlot({ ...begun, state: "idle", generation: other, instanceId: there, since });
    } else if (error.effect === "none" && error.code !== "CONFLICT" && !(await mayHaveMade(keeper, slot))) {
      await records.writeSlot({ ...begun, state: "failed", since, lastError });
    } else await records.writeSlot({ ...begun, lastError });
    return true;
  }
}

/** The slot's own instance, if a CONFLICT names it: the id may also be of a volume, or of an unmanaged machine. */
async function standingThere(
  { provider }: Keeper,
  { key }: PoolSlot,
  { native }: ProviderError,
  signal: AbortSignal,
): Promise<string | undefined> {
  const id = native?.id;
  if (id === undefined) return undefined;
  const listed = await provider.list({ keys: [key] }, { signal });
  return listed.find((one) => !hasEnded(one) && (one.id === id || one.nativeId === id))?.id;
}

/** That this call has done nothing says nothing of an earlier one: the launch's own record does. */
async function mayHaveMade({ provider, store, account }: Keeper, { key }: PoolSlot): Promise<boolean> {
  return mayLive(await store.read(launchId({ provider: provider.name, account, owner: provider.owner, key })));
}

/** One placement after the other, without those that had no capacity just now. */
async function launchSomewhere(keeper: Keeper, { slot, key }: PoolSlot, signal: AbortSignal): Promise<Instance> {
  const { provider, store, account, clock, spawn, placements, isEven, backoff, onEvent } = keeper;
  const first = isEven ? slot % placements.length : 0;
  const order = placements.map((_placement, index) => (first + index) % placements.length);
  const open = order.filter((index) => backoff.isOpen(index));
  // A launch that was begun is finished even then: only its placement's turn is over.
  const tried = open.length === 0 ? order.slice(0, 1) : open;
  for (const [at, index] of tried.entries()) {
    const placement = placements[index] ?? {};
    try {
      const control = { store, account, clock, signal, onEvent, placements: [placement], leaseTimeoutMs: 0 };
      const instance = await launch(provider, { ...spawn, key }, control);
      backoff.worked(index);
      return instance;
    } catch (error) {
      if (!isProviderError(error) || error.effect !== "none") throw error;
      if (error.code !== "CONFLICT" && error.code !== "CANCELLED") backoff.failed(index);
      if (!isAboutThePlace(error) || at === tried.length - 1) throw error;
    }
  }
  throw new Error("a pool has at least one placement");
}

async function endSlot(keeper: Keeper, slot: PoolSlot, mustBeGone: boolean, signal: AbortSignal): Promise<boolean> {
  const { provider, store, account, clock, records } = keeper;
  const { instanceId, claim: _claim, lastError: _error, ...rest } = slot;
  if (mustBeGone && instanceId !== undefined && !(await isGone(keeper, instanceId, signal))) return false;
  const ending: PoolSlot = {
    ...rest,
    state: "ending",
    since: timestamp(clock),
    ...(instanceId === undefined ? {} : { instanceId }),
  };
  await records.writeSlot(ending);
  try {
    // An end is confirmed a whole read lag after it was seen.
    const timeoutMs = END_MS + provider.limits.readAfterWriteMs;
    const how = { store, account, clock, signal, timeoutMs };
    if (instanceId !== undefined) await terminateAndConfirm(provider, instanceId, how);
    await records.writeSlot({ ...rest, state: "empty", since: timestamp(clock), ageMs: 0 });
  } catch (error) {
    if (!isProviderError(error)) throw error;
    await records.writeSlot({ ...ending, lastError: recordError(error) });
  }
  return true;
}

/** What takes longer goes on in the next round: the other slots, and the next plan, do not wait for it. */
const END_MS = 60_000;

/** Two reads, a whole read lag apart. */
async function isGone({ provider, clock }: Keeper, id: string, signal: AbortSignal): Promise<boolean> {
  for (let look = 0; look < 2; look += 1) {
    if (look > 0) await clock.sleep(provider.limits.readAfterWriteMs, signal);
    const instance = await provider.get(id, { signal });
    if (instance !== null && !hasEnded(instance)) return false;
  }
  return true;
}

/** Which placements are left alone for a while after they had no capacity; by this process's own clock. */
interface Backoff {
  readonly isOpen: (placement: number) => boolean;
  readonly failed: (placement: number) => void;
  readonly worked: (placement: number) => void;
}

export function backoff(clock: Clock, [first, longest]: readonly [first: number, longest: number]): Backoff {
  const closed = new Map<number, { readonly failures: number; readonly until: number }>();
  return {
    isOpen: (placement) => (closed.get(placement)?.until ?? Number.NEGATIVE_INFINITY) <= clock.now(),
    failed: (placement) => {
      const failures = closed.get(placement)?.failures ?? 0;
      closed.set(placement, {
        failures: failures + 1,
        until: clock.now() + Math.min(first * 2 ** failures, longest),
      });
    },
    worked: (placement) => void closed.delete(placement),
  };
}
