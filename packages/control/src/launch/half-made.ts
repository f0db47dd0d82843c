import { type Instance, isProviderError, timestamp } from "@slipway/core";
import type { LaunchRecord } from "../store/record.ts";
import { type Launching, sendable } from "./launching.ts";
import { lookUp } from "./lookup.ts";
import { mustHoldLease } from "./lost-lease.ts";

/**
 * Some remotes attach volumes only after they have made the instance. Once a listing shows that instance, the same request
 * returns it everywhere (KEY-03), and attaches what is missing.
 */
export function hasVolumes({ request = {} }: LaunchRecord): boolean {
  const { volumes, warmVolume } = request;
  return (Array.isArray(volumes) && volumes.length > 0) || warmVolume !== undefined;
}

/** Could a spawn that did not end well have left something that the same request completes? */
export function mayBeHalfMade(run: Launching, intent: LaunchRecord): boolean {
  return run.provider.capabilities.idempotentSpawn || hasVolumes(intent);
}

/** What is found may be half made, by the spawn that was cut off: only the same request completes it. */
export async function completed(
  run: Launching,
  intent: LaunchRecord,
  found: Instance,
  error: unknown,
): Promise<Instance> {
  if (!mayBeHalfMade(run, intent)) return found;
  mustHoldLease(run);
  return await repeat(run, intent).catch((failure: unknown) => {
    // The intent stays, and the next launch of this key sends it again. The first failure says more, unless the second call
    // may have done what the first one did not.
    const isFirstTrue = hasNoEffect(failure) || !hasNoEffect(error);
    throw isFirstTrue ? error : failure;
  });
}

/**
 * Completes the instance of a record that an earlier call left with its request, once a listing shows it. Should it end
 * meanwhile, the same request makes another one: so the record names none while it is under way.
 */
export async function complete(run: Launching, record: LaunchRecord, instance: Instance): Promise<Instance> {
  const listed = await lookUp(run, record.gone);
  // Another one under the key: `reconcile` says which of them stays.
  if (listed?.id !== instance.id) return instance;
  mustHoldLease(run);
  // Its region stays: who cannot look there must not take it for gone.
  const { instanceId: _named, ...intent } = record;
  await run.store.write(run.recordId, { ...intent, state: "intended", at: timestamp(run.poll.clock) });
  try {
    return await repeat(run, record);
  } catch (error) {
    // Otherwise, and where the store fails too, the intent stays, and the next launch of this key sends it again.
    if (await isStillIt(run, record, error)) await run.store.write(run.recordId, record).catch(() => undefined);
    throw error;
  }
}

/** Is the instance of the record still the key's, after a completion that failed so? */
async function isStillIt(run: Launching, record: LaunchRecord, error: unknown): Promise<boolean> {
  if (hasNoEffect(error)) return true;
  if (!isProviderError(error) || error.effect !== "applied" || run.poll.signal.aborted) return false;
  const found = await lookUp(run, record.gone, true).catch(() => null);
  return found?.id === record.instanceId;
}

function repeat(run: Launching, { request = {} }: LaunchRecord): Promise<Instance> {
  return run.provider.spawn(sendable(run, request));
}

function hasNoEffect(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none";
}
