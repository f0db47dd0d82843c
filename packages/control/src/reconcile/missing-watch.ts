import type { Clock, Provider } from "@slipway/core";
import type { AtMost } from "../at-most.ts";
import { type LaunchRecord, launchId, type StoredRecord } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { isSameLaunch, type PlanItem, type ReconcilePlan } from "./plan.ts";

interface Looks {
  readonly store: LaunchStore;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  readonly atOnce: AtMost;
}

/** For a record that names a missing instance: resolves to whether it stood in the store for a whole read lag by now. */
export type Watch = (recordId: string, record: LaunchRecord) => Promise<boolean>;

/** Reads what the store says of all missing ones at once, and has them wait for the same moment. */
export async function watchMissing(
  provider: Provider,
  plan: ReconcilePlan,
  items: readonly PlanItem[],
  { store, signal, clock, atOnce }: Looks,
): Promise<Watch> {
  const before = new Map<string, StoredRecord | null>();
  const read = async (key: string): Promise<void> => {
    if (signal?.aborted === true) return;
    const recordId = recordIdOf(provider, plan, key);
    // One that cannot be read is that item's failure, under its lease.
    before.set(recordId, await store.read(recordId).catch(() => null));
  };
  await Promise.all(items.filter((item) => item.kind === "missing").map(({ key }) => atOnce(() => read(key))));
  const until = clock.now() + provider.limits.readAfterWriteMs;
  return async (recordId, record) => {
    if (!isSameLaunch(before.get(recordId), record)) return false;
    await clock.sleep(Math.max(0, until - clock.now()), signal);
    return true;
  };
}

export function recordIdOf(provider: Provider, { owner, account }: ReconcilePlan, key: string): string {
  return launchId({ provider: provider.name, account, owner, key });
}
