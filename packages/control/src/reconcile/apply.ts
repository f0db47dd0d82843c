import { type Clock, type Instance, type Provider, ProviderError, projectProvider, systemClock } from "@slipway/core";
import { hasEnded } from "../launch/look-up.ts";
import { type LaunchRecord, launchId } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import type { PlanItem, ReconcilePlan } from "./plan.ts";

export interface ApplyOptions {
  readonly store: LaunchStore;
  /** Only items of these kinds; all if absent. */
  readonly only?: readonly PlanItem["kind"][] | undefined;
  /** Once it aborts, what is left is skipped. */
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/** What became of one item. `gone`: there was nothing left to do. */
export type ApplyResult =
  | { readonly item: PlanItem; readonly outcome: "terminated" | "forgotten" | "gone" }
  | { readonly item: PlanItem; readonly outcome: "skipped"; readonly why: string }
  | { readonly item: PlanItem; readonly outcome: "failed"; readonly error: unknown };

interface Applying {
  readonly provider: Provider;
  readonly store: LaunchStore;
  readonly recordId: string | null;
  readonly record: LaunchRecord | null;
  readonly now: number;
  readonly call: { readonly signal?: AbortSignal | undefined };
}

type Outcome = "terminated" | "forgotten" | "gone" | { readonly skipped: string };
type Action<K extends PlanItem["kind"]> = (run: Applying, item: Extract<PlanItem, { kind: K }>) => Promise<Outcome>;

/**
 * Acts on a plan: terminates orphans, duplicates and expired instances, forgets missing ones, leaves drifted ones to the
 * caller. Each item is looked at again just before, under the lease of its key, and skipped where it no longer holds; one
 * that fails does not stop the others. A terminate is accepted, not confirmed: `terminateAndConfirm` waits for the end.
 */
export async function apply(
  exact: Provider,
  plan: ReconcilePlan,
  options: ApplyOptions,
): Promise<readonly ApplyResult[]> {
  const provider: Provider = projectProvider<Provider>(exact);
  if (plan.provider !== provider.name || plan.owner !== provider.owner) throw otherPlan(provider, plan);
  const results: ApplyResult[] = [];
  for (const item of plan.items) {
    if (options.only !== undefined && !options.only.includes(item.kind)) continue;
    results.push(await applyItem(provider, plan, item, options));
  }
  return results;
}

async function applyItem(
  provider: Provider,
  plan: ReconcilePlan,
  item: PlanItem,
  options: ApplyOptions,
): Promise<ApplyResult> {
  if (options.signal?.aborted === true) return { item, outcome: "skipped", why: "it was cancelled before" };
  try {
    const outcome = await underLease(provider, plan, item, options);
    return typeof outcome === "string" ? { item, outcome } : { item, outcome: "skipped", why: outcome.skipped };
  } catch (error) {
    return { item, outcome: "failed", error };
  }
}

async function underLease(
  provider: Provider,
  plan: ReconcilePlan,
  item: PlanItem,
  { store, signal, clock = systemClock }: ApplyOptions,
): Promise<Outcome> {
  const { owner, account } = plan;
  const base = { provider, store, now: clock.now(), call: { signal } };
  if (item.key === null) return act({ ...base, recordId: null, record: null }, item);
  const recordId = launchId({ provider: provider.name, account, owner, key: item.key });
  const lease = await store.acquire(recordId);
  if (lease === null) return { skipped: "another process works with this key now" };
  try {
    const record = await store.read(recordId);
    return await act({ ...base, recordId, record: record?.kind === "launch" ? record : null }, item);
  } finally {
    await store.release(lease);
  }
}

const ACTIONS: { readonly [K in PlanItem["kind"]]: Action<K> } = {
  orphan: async (run, item) => {
    const { record } = run;
    if (record?.state === "intended") return { skipped: "a launch of this key is not finished" };
    if (record?.instanceId === item.instanceId) return { skipped: "the store knows it now" };
    return terminate(run, item);
  },
  duplicate: async (run, item) => {
    if (run.record?.instanceId === item.instanceId) return { skipped: "the store's own instance of this key" };
    const kept = await run.provider.get(item.keep, run.call);
    if (kept === null || hasEnded(kept)) return { skipped: `${item.keep}, which should stay, is gone` };
    return terminate(run, item);
  },
  expired: (run, item) =>
    terminate(run, item, ({ expiresAt = item.expiresAt }) =>
      Date.parse(expiresAt) <= run.now ? null : `it now expires at ${expiresAt}`,
    ),
  missing: async (run, item) => {
    if (run.recordId === null || run.record?.instanceId !== item.instanceId) return "gone";
    const one = await run.provider.get(item.instanceId, run.call);
    const listed = await run.provider.list({ ids: [item.instanceId] }, run.call);
    if ((one !== null && one.status !== "terminated") || listed.length > 0) return { skipped: "it is there" };
    await run.store.remove(run.recordId);
    return "forgotten";
  },
  drifted: async () => ({ skipped: "what to do with it is the caller's decision" }),
};

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
