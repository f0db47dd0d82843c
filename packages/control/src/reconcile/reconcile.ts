import { type Clock, type Instance, type Provider, projectProvider, systemClock } from "@slipway/core";
import type { StoreEntry } from "../store/entries.ts";
import type { LaunchStore } from "../store/store.ts";
import { type Findings, type OrphanItem, planFrom, type ReconcilePlan } from "./plan.ts";

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
 * is not complete, since what is merely not seen would look like an orphan.
 */
export async function reconcile(exact: Provider, options: ReconcileOptions): Promise<ReconcilePlan> {
  const provider: Provider = projectProvider<Provider>(exact);
  const clock = options.clock ?? systemClock;
  const first = await look(provider, options, clock);
  // What it would be if nothing could lag.
  const suspected = planFrom({ ...first, earlier: first.entries });
  const settled = planFrom({ ...first, earlier: [] });
  if (suspected.items.length === settled.items.length) return settled;
  await clock.sleep(provider.limits.readAfterWriteMs, options.signal);
  return planFrom({ ...(await look(provider, options, clock)), earlier: first.entries });
}

async function look(provider: Provider, options: ReconcileOptions, clock: Clock): Promise<Omit<Findings, "earlier">> {
  const listedAt = clock.now();
  const instances = await provider.list({}, { signal: options.signal });
  const { name, owner } = provider;
  const account = options.account ?? "";
  // After the listing, never before it: an instance of a launch that runs meanwhile would look like an orphan.
  const entries = await entriesAbout(
    instances,
    options.store.entries({ kind: "launch", provider: name, account, owner }),
  );
  return { provider: name, owner, account, instances, entries, listedAt, now: clock.now() };
}

/**
 * What a plan can be about: what is listed, and what should be. The rest of a store that has been used for years is read
 * once and not kept.
 */
async function entriesAbout(
  instances: readonly Instance[],
  entries: AsyncIterable<StoreEntry>,
): Promise<readonly StoreEntry[]> {
  const keys = new Set(instances.map(({ key }) => key));
  const ids = new Set(instances.map(({ id }) => id));
  const kept: StoreEntry[] = [];
  for await (const entry of entries) {
    const { record } = entry;
    if (record.kind !== "launch") continue;
    const isListed = keys.has(record.identity.key) || (record.instanceId !== undefined && ids.has(record.instanceId));
    if (isListed || record.state === "launched") kept.push(entry);
  }
  return kept;
}

/** This owner's instances that nobody who uses the store has launched. Deletes nothing. */
export async function findOrphans(provider: Provider, options: ReconcileOptions): Promise<readonly OrphanItem[]> {
  const { items } = await reconcile(provider, options);
  return items.filter((item) => item.kind === "orphan");
}
