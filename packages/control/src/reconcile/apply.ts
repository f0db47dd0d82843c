import { type Clock, type Instance, type Provider, ProviderError, projectProvider, systemClock } from "@slipway/core";
import { hasEnded } from "../launch/look-up.ts";
import { type LaunchRecord, launchId, type StoredRecord } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { isSameLaunch, type PlanItem, type ReconcilePlan } from "./plan.ts";

export interface ApplyOptions {
  readonly store: LaunchStore;
  /** Only items of these kinds; all if absent. */
  readonly only?: readonly PlanItem["kind"][] | undefined;
  /**
   * How long after its `expiresAt` an instance is ended, milliseconds; 10 minutes if absent. That time was given by
   * another machine's clock, which may be behind this one's.
   */
  readonly expiryMarginMs?: number | undefined;
  /** Once it aborts, what is left is skipped. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** What became of one item. `gone`: there was nothing left to do. */
export type ApplyResult =
  | { readonly item: PlanItem; readonly outcome: "terminated" | "forgotten" | "gone" }
  | { readonly item: PlanItem; readonly outcome: "skipped"; readonly why: string }
  | { readonly item: PlanItem; readonly outcome: "failed"; readonly error: unknown };

const EXPIRY_MARGIN_MS = 600_000;

interface Applying {
  readonly provider: Provider;
  readonly store: LaunchStore;
  readonly recordId: string | null;
  readonly record: LaunchRecord | null;
  /** An `expiresAt` up to here, on this machine's clock, has passed on every clock. */
  readonly expiredBy: number;
  /** Resolves when a read must show what the record names; false if the record was another one at the first look. */
  readonly mustShow: () => Promise<boolean>;
  readonly call: { readonly signal?: AbortSignal | undefined };
}

type Outcome = "terminated" | "forgotten" | "gone" | { readonly skipped: string };
type Action<K extends PlanItem["kind"]> = (run: Applying, item: Extract<PlanItem, { kind: K }>) => Promise<Outcome>;

/**
 * Acts on a plan: terminates orphans, duplicates and expired instances, forgets missing ones, leaves drifted ones to the
 * caller. Each item is looked at again just before, under the lease of its key, and skipped where it no longer holds; one
 * that fails does not stop the others. Before the first missing one is forgotten it waits `limits.readAfterWriteMs`: the
 * plan may be another machine's, and what that has not seen proves nothing here. A terminate is accepted, not confirmed:
 * `terminateAndConfirm` waits for the end.
 */
export async function apply(
  exact: Provider,
  plan: ReconcilePlan,
  options: ApplyOptions,
): Promise<readonly ApplyResult[]> {
  const provider: Provider = projectProvider<Provider>(exact);
  if (plan.provider !== provider.name || plan.owner !== provider.owner) throw otherPlan(provider, plan);
  const items = plan.items.filter(({ kind }) => options.only?.includes(kind) ?? true);
  const watch = await watchMissing(provider, plan, items, options);
  const results: ApplyResult[] = [];
  for (const item of items) results.push(await applyItem(provider, plan, item, options, watch));
  return results;
}

/** For a record that names a missing instance: resolves to whether it stood in the store for a whole read lag by now. */
type Watch = (recordId: string, record: LaunchRecord) => Promise<boolean>;

/** Reads what the store says of all missing ones at once, and has them wait for the same moment. */
async function watchMissing(
  provider: Provider,
  plan: ReconcilePlan,
  items: readonly PlanItem[],
  { store, signal, clock = systemClock }: ApplyOptions,
): Promise<Watch> {
  const before = new Map<string, StoredRecord | null>();
  for (const item of items) {
    if (item.kind !== "missing" || signal?.aborted === true) continue;
    const recordId = recordIdOf(provider, plan, item.key);
    // One that cannot be read is that item's failure, under its lease.
    before.set(recordId, await store.read(recordId).catch(() => null));
  }
  const until = clock.now() + provider.limits.readAfterWriteMs;
  return async (recordId, record) => {
    if (!isSameLaunch(before.get(recordId), record)) return false;
    await clock.sleep(Math.max(0, until - clock.now()), signal);
    return true;
  };
}

function recordIdOf(provider: Provider, { owner, account }: ReconcilePlan, key: string): string {
  return launchId({ provider: provider.name, account, owner, key });
}

async function applyItem(
  provider: Provider,
  plan: ReconcilePlan,
  item: PlanItem,
  options: ApplyOptions,
  watch: Watch,
): Promise<ApplyResult> {
  if (options.signal?.aborted === true) return { item, outcome: "skipped", why: "it was cancelled before" };
  try {
    const outcome = await underLease(provider, plan, item, options, watch);
    return typeof outcome === "string" ? { item, outcome } : { item, outcome: "skipped", why: outcome.skipped };
  } catch (error) {
    return { item, outcome: "failed", error };
  }
}

async function underLease(
  provider: Provider,
  plan: ReconcilePlan,
  item: PlanItem,
  { store, signal, clock = systemClock, expiryMarginMs = EXPIRY_MARGIN_MS }: ApplyOptions,
  watch: Watch,
): Promise<Outcome> {
  const base = { provider, store, expiredBy: clock.now() - expiryMarginMs, call: { signal } };
  if (item.key === null) return act({ ...base, recordId: null, record: null, mustShow: async () => false }, item);
  const recordId = recordIdOf(provider, plan, item.key);
  const lease = await store.acquire(recordId);
  if (lease === null) return { skipped: "another process works with this key now" };
  try {
    const stored = await store.read(recordId);
    const record = stored?.kind === "launch" ? stored : null;
    const mustShow = async (): Promise<boolean> => record !== null && (await watch(recordId, record));
    return await act({ ...base, recordId, record, mustShow }, item);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

const ACTIONS: { readonly [K in PlanItem["kind"]]: Action<K> } = {
  orphan: async (run, item) => {
    const { record } = run;
    if (record?.state === "intended") return { skipped: "a launch of this key is not finished" };
    if (record?.state === "ended") return terminate(run, item);
    if (record?.instanceId === item.instanceId) return { skipped: "the store knows it now" };
    if (record?.instanceId !== undefined && (await lives(run, record.instanceId))) {
      return { skipped: `${record.instanceId} lives under the same key: it is a duplicate now` };
    }
    return terminate(run, item);
  },
  duplicate: async (run, item) => {
    if (run.record?.instanceId === item.instanceId) return { skipped: "the store's own instance of this key" };
    if (!(await lives(run, item.keep))) return { skipped: `${item.keep}, which should stay, is gone` };
    return terminate(run, item);
  },
  expired: (run, item) =>
    terminate(run, item, ({ expiresAt = item.expiresAt }) =>
      Date.parse(expiresAt) <= run.expiredBy
        ? null
        : `it expires at ${expiresAt}, which may not have passed on the clock that gave it`,
    ),
  missing: async (run, item) => {
    if (run.recordId === null || run.record?.instanceId !== item.instanceId) return "gone";
    if (!(await run.mustShow())) return { skipped: "it was launched just now" };
    const one = await run.provider.get(item.instanceId, run.call);
    const listed = await run.provider.list({ ids: [item.instanceId] }, run.call);
    if ((one !== null && one.status !== "terminated") || listed.length > 0) return { skipped: "it is there" };
    await run.store.remove(run.recordId);
    return "forgotten";
  },
  drifted: async () => ({ skipped: "what to do with it is the caller's decision" }),
};

async function lives(run: Applying, id: string): Promise<boolean> {
  const instance = await run.provider.get(id, run.call);
  return instance !== null && !hasEnded(instance);
}

function act<K extends PlanItem["kind"]>(run: Applying, item: Extract<PlanItem, { kind: K }>): Promise<Outcome> {
  // The table holds under each kind the action for items of that kind.
  return (ACTIONS[item.kind] as unknown as Action<K>)(run, item);
}

async function terminate(
  run: Applying,
  item: PlanItem,
  objection: (instance: Instance) => string | null = () => null,
): Promise<Outcome> {
  const instance = await run.provider.get(item.instanceId, run.call);
  if (instance === null || hasEnded(instance)) return "gone";
  if (instance.owner !== null && instance.owner !== run.provider.owner) return { skipped: "it is another owner's" };
  if (instance.key !== item.key) return { skipped: "it has another key now" };
  const against = objection(instance);
  if (against !== null) return { skipped: against };
  await run.provider.terminate(item.instanceId, run.call);
  return "terminated";
}

function otherPlan(provider: Provider, plan: ReconcilePlan): ProviderError<"INVALID_SPEC"> {
  return new ProviderError("INVALID_SPEC", {
    message: `the plan is for ${plan.provider} and owner ${plan.owner}, not for ${provider.name} and ${provider.owner}`,
    provider: provider.name,
    operation: "apply",
    effect: "none",
  });
}
