import { type Clock, type Instance, type Provider, projectProvider, systemClock } from "@slipway/core";
import { atMost } from "../at-most.ts";
import { regionOf, sightOf } from "../regions.ts";
import { launchId } from "../store/record.ts";
import { stepKeyIn } from "../store/run-steps.ts";
import type { LaunchStore, StoreEntry } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import {
  type Findings,
  type NotLookedFor,
  type OrphanItem,
  type PlanItem,
  planFrom,
  type ReconcilePlan,
  type UnreadRecords,
} from "./plan.ts";
import { keysOfRuns } from "./run-keys.ts";

export interface ReconcileOptions {
  /** The store that this owner's launches use. */
  readonly store: LaunchStore;
  /** As it was given to `launch`. */
  readonly account?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Compares this owner's instances with the store, and says what is not as it should be. Changes nothing: `apply` acts on
 * a plan. Where a record names what the listing does not show, it waits `limits.readAfterWriteMs` and lists again: only
 * what is still not there is in the plan, whatever the clocks of other machines say. Rejects if the listing or the store
 * cannot be read, since what is merely not seen would look like an orphan. Of records that are CORRUPT or of a newer FORMAT
 * the plan names the error in `unread`, and has only what is certain without them. A launch in a region that the provider is not
 * configured for is in `notLooked`, and in no item.
 *
 * @example
 * ```ts
 * const plan = await reconcile(provider, { store });
 * plan.items; // => []
 * ```
 */
export async function reconcile(exact: Provider, options: ReconcileOptions): Promise<ReconcilePlan> {
  const provider: Provider = projectProvider<Provider>(exact);
  const clock = options.clock ?? systemClock;
  const first = await look(provider, options, clock);
  // What it would be if nothing could lag.
  const suspected = planFrom({ ...first, earlier: first.entries });
  // What cannot be looked for is in neither.
  const settled = planFrom({ ...first, earlier: [] });
  if (suspected.items.length === settled.items.length) return onlyCertain(settled, first, options.store);
  await clock.sleep(provider.limits.readAfterWriteMs, options.signal);
  const second = await look(provider, options, clock);
  return onlyCertain(planFrom({ ...second, earlier: first.entries }), second, options.store);
}

const READ_AT_ONCE = 32;

type Look = Omit<Findings, "earlier"> & {
  readonly unread: UnreadRecords | undefined;
  readonly areRunsRead: boolean;
};

/** Without what a record that cannot be read may be about: orphans and duplicates, unless the record of their key can be read. */
async function onlyCertain(
  plan: ReconcilePlan,
  { unread, areRunsRead }: Look,
  store: LaunchStore,
): Promise<ReconcilePlan> {
  if (unread === undefined) return plan;
  const { provider, account, owner } = plan;
  const atOnce = atMost(READ_AT_ONCE);
  const readable = new Map<string, Promise<boolean>>();
  const isReadable = (key: string): Promise<boolean> => {
    const known = readable.get(key) ?? atOnce(() => canRead(store, launchId({ provider, account, owner, key })));
    readable.set(key, known);
    return known;
  };
  const isCertain = async ({ kind, key }: PlanItem): Promise<boolean> => {
    if (kind !== "orphan" && kind !== "unknown-run" && kind !== "duplicate") return true;
    // What a run has made has no record of its own.
    if (key === null || (!areRunsRead && kind !== "duplicate" && stepKeyIn(key) !== null)) return false;
    return await isReadable(key);
  };
  const certain = await Promise.all(plan.items.map(isCertain));
  return { ...plan, items: plan.items.filter((_item, index) => certain[index] === true), unread };
}

async function canRead(store: LaunchStore, recordId: string): Promise<boolean> {
  try {
    await store.read(recordId);
    return true;
  } catch (error) {
    if (isStoreError(error, "CORRUPT", "FORMAT")) return false;
    throw error;
  }
}

async function look(provider: Provider, options: ReconcileOptions, clock: Clock): Promise<Look> {
  const listedAt = clock.now();
  const instances = await provider.list({}, { signal: options.signal });
  const { name, owner } = provider;
  const account = options.account ?? "";
  // After the listing, never before it: an instance of a launch that runs meanwhile would look like an orphan.
  const { entries, unread } = await entriesAbout(
    instances,
    options.store.entries({ kind: "launch", provider: name, account, owner }),
  );
  const notLooked = await notLookedFor(provider, instances, entries, options.signal);
  const launched = new Set(entries.map(({ record }) => (record.kind === "launch" ? record.identity.key : null)));
  const unexplained = instances.map(({ key }) => key).filter((key) => !launched.has(key));
  const runs = await keysOfRuns(options.store, unexplained);
  return {
    ...{ provider: name, owner, account, instances, entries, notLooked, listedAt, now: clock.now() },
    ...{ runKeys: runs.keys, abandonedKeys: runs.abandoned },
    ...{ unread: unread ?? runs.unread, areRunsRead: runs.unread === undefined },
  };
}

/** Launches that the listing does not show, of which nobody may say that they are gone. */
async function notLookedFor(
  provider: Provider,
  instances: readonly Instance[],
  entries: readonly StoreEntry[],
  signal: AbortSignal | undefined,
): Promise<readonly NotLookedFor[]> {
  const sight = sightOf(provider, { signal });
  const listed = new Set(instances.map(({ id }) => id));
  const found: NotLookedFor[] = [];
  for (const { record } of entries) {
    if (record.kind !== "launch" || record.state !== "launched" || record.instanceId === undefined) continue;
    if (listed.has(record.instanceId)) continue;
    const reason = await sight.whyNot(record);
    const region = regionOf(record);
    if (reason === null || region === undefined) continue;
    found.push({ instanceId: record.instanceId, key: record.identity.key, region, reason });
  }
  return found;
}

/**
 * What a plan can be about: what is listed, and what should be. The rest of a store that has been used for years is read
 * once and not kept.
 */
async function entriesAbout(
  instances: readonly Instance[],
  entries: AsyncIterable<StoreEntry>,
): Promise<{ readonly entries: readonly StoreEntry[]; readonly unread: UnreadRecords | undefined }> {
  const keys = new Set(instances.map(({ key }) => key));
  const ids = new Set(instances.map(({ id }) => id));
  const kept: StoreEntry[] = [];
  try {
    for await (const entry of entries) {
      const { record } = entry;
      if (record.kind !== "launch") continue;
      const isListed = keys.has(record.identity.key) || (record.instanceId !== undefined && ids.has(record.instanceId));
      if (isListed || record.state === "launched") kept.push(entry);
    }
  } catch (error) {
    // These two come after all that can be read.
    if (!isStoreError(error, "CORRUPT", "FORMAT")) throw error;
    const { code, message, hint } = error;
    return { entries: kept, unread: { code, message, hint } };
  }
  return { entries: kept, unread: undefined };
}

/**
 * This owner's instances that certainly nobody who uses the store has launched, and no run that it does not know. Deletes nothing.
 *
 * @example
 * ```ts
 * for (const { instanceId, reason } of await findOrphans(provider, { store })) console.log(instanceId, reason);
 * ```
 */
export async function findOrphans(provider: Provider, options: ReconcileOptions): Promise<readonly OrphanItem[]> {
  const { items } = await reconcile(provider, options);
  return items.filter((item) => item.kind === "orphan");
}
