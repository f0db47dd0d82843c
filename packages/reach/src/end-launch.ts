import {
  isStoreError,
  type Lease,
  type Store,
  type StoredRecord,
  StoreError,
  terminateAndConfirm,
} from "@slipway/control";
import { type Clock, isProviderError, type Provider } from "@slipway/core";
import { refusal } from "./refusal.ts";

const POLL_MS = 1000;
const PATIENCE_MS = 60_000;
const END_PATIENCE_MS = 300_000;

/** A store, and what was written through it under one id last. */
export interface NotedWrites {
  readonly store: Store;
  readonly recordId: string;
  readonly last: () => StoredRecord | null;
}

/** Tells a record that this process wrote from one that another process has written since. */
export function notedWrites(store: Store, recordId: string): NotedWrites {
  let last: StoredRecord | null = null;
  const noting: Store = {
    acquire: (id) => store.acquire(id),
    read: (id) => store.read(id),
    write: async (id, record) => {
      // Before it is known to be written: a write whose answer is lost may stand there.
      if (id === recordId) last = record;
      await store.write(id, record);
    },
    remove: (id) => store.remove(id),
    release: (lease) => store.release(lease),
    entries: (filter) => store.entries(filter),
    exclusion: store.exclusion,
    ...(store.appendStep === undefined ? {} : { appendStep: store.appendStep.bind(store) }),
    ...(store.whereIs === undefined ? {} : { whereIs: store.whereIs.bind(store) }),
  };
  return { store: noting, recordId, last: () => last };
}

/**
 * After a launch that failed: ends what it made, and forgets its intent. Nobody may ever launch the key again, and the
 * request in it holds the bootstrap's secrets. Only under the key's lease, and only where no other process has an instance
 * under the key by now: that process may have adopted this very one.
 */
export async function endLaunch(
  provider: Provider,
  key: string,
  clock: Clock,
  { store, recordId, last }: NotedWrites,
): Promise<void> {
  // Taken before the first look: whatever was sent under an earlier lease is over by the last one.
  const lease = await leaseWithin(store, recordId, clock);
  if (lease === null) {
    throw refusal("BUSY", provider.name, "withInstance", `another process works on the key ${JSON.stringify(key)}`, {
      hint: "What runs under the key is left to that process. `reconcile` names it if nobody keeps it.",
    });
  }
  try {
    const record = await whenAvailable(clock, () => store.read(recordId));
    const isLaunch = record?.kind === "launch";
    if (isLaunch && record.state === "launched" && !isSame(record, last())) return;
    await endUnderKey(provider, key, clock, provider.limits.requestLifeMs, () => {
      if (!lease.held()) throw lostWhileEnding(key);
    });
    // What cannot be removed stays: nothing runs any more, which is what matters.
    if (isLaunch && record.state !== "ended") await store.remove(recordId).catch(() => undefined);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

/** What is there by now may be another process's. */
function lostWhileEnding(key: string): StoreError {
  return new StoreError("NOT_HELD", {
    message: `the lease of the key ${JSON.stringify(key)} was lost while what its launch had made was ended`,
    hint: "What runs under the key is left to the process that has it. `reconcile` names it if nobody keeps it.",
  });
}

function isSame(record: StoredRecord, written: StoredRecord | null): boolean {
  if (record.kind !== "launch" || written?.kind !== "launch") return false;
  const { state, attempt, at, instanceId } = record;
  return (
    state === written.state && attempt === written.attempt && at === written.at && instanceId === written.instanceId
  );
}

/** Some hold a lease for a moment only, to look at what runs under it. */
async function leaseWithin(store: Store, recordId: string, clock: Clock): Promise<Lease | null> {
  for (const until = clock.now() + PATIENCE_MS; ; ) {
    const lease = await whenAvailable(clock, () => store.acquire(recordId));
    if (lease !== null || clock.now() >= until) return lease;
    await clock.sleep(POLL_MS);
  }
}

/**
 * Terminates whatever is there under a key, until nothing can come any more of a request that is under way for so long,
 * or be hidden by a read that lags. `mustHold` throws where that is not this process's to do any more.
 */
export async function endUnderKey(
  provider: Provider,
  key: string,
  clock: Clock,
  requestLifeMs: number = provider.limits.requestLifeMs,
  mustHold: () => void = () => undefined,
): Promise<void> {
  const until = clock.now() + requestLifeMs + provider.limits.readAfterWriteMs;
  const giveUpAt = until + END_PATIENCE_MS;
  for (;;) {
    const begun = clock.now();
    try {
      const found = await provider.list({ keys: [key] });
      for (const { id } of found) {
        mustHold();
        await terminateAndConfirm(provider, id, { clock });
      }
      if (begun >= until) return;
    } catch (error) {
      if (!isProviderError(error) || !error.retryable || clock.now() >= giveUpAt) throw error;
    }
    const left = until - clock.now();
    await clock.sleep(left > 0 ? Math.min(POLL_MS, left) : POLL_MS);
  }
}

/** A database that restarts must cost no machine and no result. What was sent may have been done: `work` may be repeated. */
export async function whenAvailable<T>(clock: Clock, work: () => Promise<T>, may = (): boolean => true): Promise<T> {
  for (const until = clock.now() + PATIENCE_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error) || !error.retryable || clock.now() >= until || !may()) throw error;
      await clock.sleep(POLL_MS);
    }
  }
}
