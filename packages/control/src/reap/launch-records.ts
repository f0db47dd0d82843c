import { type Instance, type Provider, ProviderError, systemClock } from "@slipway/core";
import { type Sight, sightOf } from "../regions.ts";
import type { LaunchRecord } from "../store/record.ts";
import { isStoreError } from "../store/store-error.ts";
import type { ReapOptions } from "./reap.ts";

/**
 * The launch records of listed instances, by their ids. `unread`: why not all that may be expired is known, since records
 * cannot be read, or since an instance cannot be looked for.
 */
export async function recordsOf(
  provider: Provider,
  instances: readonly Instance[],
  { store, account = "", signal, clock }: Pick<ReapOptions, "store" | "account" | "signal" | "clock">,
): Promise<{ readonly records: ReadonlyMap<string, LaunchRecord>; readonly unread: unknown }> {
  const records = new Map<string, LaunchRecord>();
  if (store === undefined) return { records, unread: undefined };
  const ids = new Set(instances.map(({ id }) => id));
  const { name, owner } = provider;
  const sight = sightOf(provider, { signal });
  const now = (clock ?? systemClock).now();
  let hidden: unknown;
  try {
    for await (const { record } of store.entries({ kind: "launch", provider: name, account, owner })) {
      if (record.kind !== "launch" || record.instanceId === undefined) continue;
      if (ids.has(record.instanceId)) records.set(record.instanceId, record);
      else if (record.state === "launched" && Date.parse(record.expected.expiresAt ?? "") <= now) {
        hidden ??= await whyHidden(provider, sight, record, record.instanceId);
      }
    }
  } catch (error) {
    // What the remote itself tells still counts.
    if (!isStoreError(error)) throw error;
    return { records, unread: error };
  }
  return { records, unread: hidden };
}

/** An expired instance that no listing of this provider can show may run on: the first one stands for all. */
async function whyHidden(provider: Provider, sight: Sight, record: LaunchRecord, id: string): Promise<unknown> {
  try {
    const reason = await sight.whyNot(record);
    if (reason === null) return undefined;
    return new ProviderError("NOT_FOUND", {
      message: `${id} expired at ${record.expected.expiresAt} and may be running: ${reason}`,
      provider: provider.name,
      operation: "reap",
      effect: "none",
      native: { id },
      hint: "Configure that region, and reap again.",
    });
  } catch (error) {
    return error;
  }
}
