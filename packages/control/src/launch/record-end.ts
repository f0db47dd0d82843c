import { type Clock, type Provider, ProviderError, timestamp } from "@slipway/core";
import { forgetChoice } from "../anywhere/anywhere-record.ts";
import { forgetSpread } from "../anywhere/spread-record.ts";
import { endClaim } from "../budget/claim.ts";
import { sightOf } from "../regions.ts";
import { forgetReport } from "../reports/report-record.ts";
import { type LaunchIdentity, type LaunchRecord, launchId } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";

/** What becomes of the record of an instance whose end was confirmed. */
export interface EndRecording {
  /** The store that the instance was launched with: without it `reconcile` finds the instance missing later. */
  readonly store?: LaunchStore | undefined;
  /** As it was given to `launch`. */
  readonly account?: string | undefined;
  /** `forget`, if absent, removes the record; `keep` leaves it as `ended`. */
  readonly record?: "forget" | "keep" | undefined;
}

/**
 * Takes the record of an instance that is known to be gone out of what `reconcile` looks for. It stays if it names another
 * instance by now or if another process works with its key. A store that fails is no failure: the instance is gone, which
 * is what was asked for, and `reconcile` forgets it later.
 */
export async function recordEnd(
  provider: Provider,
  instance: { readonly id: string; readonly key: string | null },
  { store, account = "", record: fate = "forget" }: EndRecording,
  clock: Clock,
): Promise<void> {
  if (store === undefined) return;
  const base = { provider: provider.name, account, owner: provider.owner };
  try {
    const unseen = instance.key === null ? await recordOf(store, base, instance.id) : null;
    if (instance.key === null && unseen === null) return;
    if (unseen !== null) await mustHaveSeen(provider, unseen, instance.id);
    const identity = unseen?.identity ?? { ...base, key: instance.key ?? "" };
    const recordId = launchId(identity);
    const lease = await store.acquire(recordId);
    if (lease === null) return;
    try {
      const record = await store.read(recordId);
      const names = record?.kind === "launch" ? record.instanceId : undefined;
      // The claim of the key is the one of the instance that its record names: another one costs on.
      if (record === null || names === instance.id) await endClaim(store, base.owner, recordId, clock);
      if (record?.kind !== "launch" || record.state !== "launched" || names !== instance.id) return;
      if (fate === "forget") {
        await store.remove(recordId);
        await forgetRest(store, record);
      } else {
        const { request: _sent, ...known } = record;
        await store.write(recordId, { ...known, state: "ended", at: timestamp(clock) } satisfies LaunchRecord);
      }
    } finally {
      await store.release(lease);
    }
  } catch (error) {
    if (!isStoreError(error)) throw error;
  }
}

/** What other records say of a launch whose own one was forgotten, under the lease of that: each would stay for ever. */
export async function forgetRest(store: LaunchStore, record: LaunchRecord): Promise<void> {
  await forgetReport(store, record);
  await forgetChoice(store, record.identity);
  await forgetSpread(store, record.identity);
}

/** Where the remote no longer tells the key, the store does. */
async function recordOf(
  store: LaunchStore,
  base: Omit<LaunchIdentity, "key">,
  instanceId: string,
): Promise<LaunchRecord | null> {
  for await (const { record } of store.entries({ kind: "launch", states: ["launched"], ...base })) {
    if (record.kind === "launch" && record.instanceId === instanceId) return record;
  }
  return null;
}

/** What runs where nobody can look is not gone because it is not shown: forgotten, it would run on unseen. */
async function mustHaveSeen(provider: Provider, record: LaunchRecord, id: string): Promise<void> {
  const reason = await sightOf(provider, {}).whyNot(record);
  if (reason === null) return;
  throw new ProviderError("NOT_FOUND", {
    message: `${id} is not known to be gone: ${reason}`,
    provider: provider.name,
    operation: "terminate",
    effect: "none",
    native: { id },
    hint: "Configure that region, and terminate it again.",
  });
}
