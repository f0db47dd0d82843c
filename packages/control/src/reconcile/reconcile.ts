import { type Clock, type Provider, projectProvider, systemClock } from "@slipway/core";
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
  // After the listing, never before it: an instance of a launch that runs meanwhile would look like an orphan.
  const entries = await options.store.entries();
  const { name, owner } = provider;
  const account = options.account ?? "";
  return { provider: name, owner, account, instances, entries, listedAt, now: clock.now() };
}

/** This owner's instances that nobody who uses the store has launched. Deletes nothing. */
export async function findOrphans(provider: Provider, options: ReconcileOptions): Promise<readonly OrphanItem[]> {
  const { items } = await reconcile(provider, options);
  return items.filter((item) => item.kind === "orphan");
}
