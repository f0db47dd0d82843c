import { type Clock, type Instance, type Provider, ProviderError, projectProvider, systemClock } from "@slipway/core";
import { type AtMost, atMost } from "../at-most.ts";
import { endClaim } from "../budget/claim.ts";
import { hasEnded } from "../launch/lookup.ts";
import { forgetRest } from "../launch/record-end.ts";
import { type Sight, sightOf } from "../regions.ts";
import type { LaunchRecord } from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { recordIdOf, type Watch, watchMissing } from "./missing-watch.ts";
import type { PlanItem, ReconcilePlan } from "./plan.ts";
import { runsBehind } from "./run-keys.ts";

export interface ApplyOptions {
  readonly store: LaunchStore;
  /** Only items of these kinds; all if absent, but for `unknown-run`, which only its name ends. */
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
/** Items at work at once: enough for full batches at every remote that has some. */
const AT_ONCE = 250;

interface Applying {
  readonly provider: Provider;
  readonly store: LaunchStore;
  readonly clock: Clock;
  readonly recordId: string | null;
  readonly record: LaunchRecord | null;
  /** An `expiresAt` up to here, on this machine's clock, has passed on every clock. */
  readonly expiredBy: number;
  /** Resolves when a read must show what the record names; false if the record was another one at the first look. */
  readonly mustShow: () => Promise<boolean>;
  readonly call: { readonly signal?: AbortSignal | undefined };
  readonly sight: Sight;
  readonly whyOfRun: (key: string | null) => Promise<string | null>;
  /** What this call has terminated: reads may still show it as it was. */
  readonly ended: Set<string>;
}

type Outcome = "terminated" | "forgotten" | "gone" | { readonly skipped: string };
type Action<K extends PlanItem["kind"]> = (run: Applying, item: Extract<PlanItem, { kind: K }>) => Promise<Outcome>;

/**
 * Acts on a plan: terminates orphans, duplicates and expired instances, forgets missing ones, leaves drifted ones to the
 * caller, and those of an `unknown-run` unless `only` names the kind. Each item is looked at again just before, under the lease of its key, and skipped where it no longer holds; one
 * that fails does not stop the others. Items of different keys are worked on side by side, those of one key one after the
 * other, but for duplicates of which all keep what no item ends. Before the first missing one is forgotten it waits `limits.readAfterWriteMs`: the
 * plan may be another machine's, and what that has not seen proves nothing here. A terminate is accepted, not confirmed:
 * `terminateAndConfirm` waits for the end.
 *
 * @example
 * ```ts
 * import { reconcile } from "@slipway/control";
 *
 * const plan = await reconcile(provider, { store });
 * await apply(provider, plan, { store }); // => []
 * ```
 */
export async function apply(
  exact: Provider,
  plan: ReconcilePlan,
  options: ApplyOptions,
): Promise<readonly ApplyResult[]> {
  const provider: Provider = projectProvider<Provider>(exact);
  if (plan.provider !== provider.name || plan.owner !== provider.owner) throw otherPlan(provider, plan);
  const items = plan.items.filter(({ kind }) => options.only?.includes(kind) ?? true);
  const { store, signal, clock = systemClock } = options;
  const watch = await watchMissing(provider, plan, items, { store, signal, clock, atOnce: atMost(AT_ONCE) });
  const sight = sightOf(provider, { signal });
  const whyOfRun = runsBehind(store, items, { endUnknown: options.only?.includes("unknown-run") === true });
  const work: Work = { provider, plan, options, watch, sight, whyOfRun, atOnce: atMost(AT_ONCE), ended: new Set() };
  const results = new Map<PlanItem, ApplyResult>();
  const keys = atMost(AT_ONCE);
  await Promise.all(
    stepsByKey(items).map((steps) =>
      keys(async () => {
        for (const step of steps) for (const result of await applyStep(work, step)) results.set(result.item, result);
      }),
    ),
  );
  return items.flatMap((item) => results.get(item) ?? []);
}

interface Work {
  readonly provider: Provider;
  readonly plan: ReconcilePlan;
  readonly options: ApplyOptions;
  readonly watch: Watch;
  readonly sight: Sight;
  readonly whyOfRun: Applying["whyOfRun"];
  readonly atOnce: AtMost;
  readonly ended: Set<string>;
}

/** What is done side by side under one lease: one item, or duplicates that do not depend on each other. */
type Step = readonly [PlanItem, ...PlanItem[]];

/** The steps of each key, in the order of the plan. An instance without a key stands for itself. */
function stepsByKey(items: readonly PlanItem[]): readonly (readonly Step[])[] {
  const groups = new Map<string, PlanItem[]>();
  for (const item of items) {
    const name = item.key === null ? `id ${item.instanceId}` : `key ${item.key}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()].map(stepsOf);
}

function stepsOf(group: readonly PlanItem[]): readonly Step[] {
  const touched = new Set(group.map(({ instanceId }) => instanceId));
  const isFree = (item: PlanItem): boolean => item.kind === "duplicate" && !touched.has(item.keep);
  const steps: [PlanItem, ...PlanItem[]][] = [];
  for (const item of group) {
    const last = steps.at(-1);
    if (last !== undefined && isFree(item) && isFree(last[0])) last.push(item);
    else steps.push([item]);
  }
  return steps;
}

async function applyStep(work: Work, step: Step): Promise<readonly ApplyResult[]> {
  if (work.options.signal?.aborted === true) return step.map(cancelledBefore);
  try {
    return await underLease(work, step);
  } catch (error) {
    return step.map((item) => ({ item, outcome: "failed", error }));
  }
}

function cancelledBefore(item: PlanItem): ApplyResult {
  return { item, outcome: "skipped", why: "it was cancelled before" };
}

/** The step's items, each looked at again under the lease of their key. */
async function underLease(work: Work, step: Step): Promise<readonly ApplyResult[]> {
  const { provider, plan, watch, sight, whyOfRun, options, ended } = work;
  const { store, signal, clock = systemClock, expiryMarginMs = EXPIRY_MARGIN_MS } = options;
  const by = { expiredBy: clock.now() - expiryMarginMs, call: { signal } };
  const base = { provider, store, clock, ...by, sight, whyOfRun, ended };
  const { key } = step[0];
  if (key === null) {
    return await actOnAll(work, { ...base, recordId: null, record: null, mustShow: async () => false }, step);
  }
  const recordId = recordIdOf(provider, plan, key);
  const lease = await store.acquire(recordId);
  if (lease === null) {
    return step.map((item) => ({ item, outcome: "skipped", why: "another process works with this key now" }));
  }
  try {
    const stored = await store.read(recordId);
    const record = stored?.kind === "launch" ? stored : null;
    const mustShow = async (): Promise<boolean> => record !== null && (await watch(recordId, record));
    return await actOnAll(work, { ...base, recordId, record, mustShow }, step);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

function actOnAll({ atOnce, options }: Work, run: Applying, step: Step): Promise<readonly ApplyResult[]> {
  const actOn = async (item: PlanItem): Promise<ApplyResult> => {
    if (options.signal?.aborted === true) return cancelledBefore(item);
    try {
      const outcome = await act(run, item);
      return typeof outcome === "string" ? { item, outcome } : { item, outcome: "skipped", why: outcome.skipped };
    } catch (error) {
      return { item, outcome: "failed", error };
    }
  };
  return Promise.all(step.map((item) => atOnce(() => actOn(item))));
}

const ACTIONS: { readonly [K in PlanItem["kind"]]: Action<K> } = {
  orphan: async (run, item) => {
    const { record } = run;
    if (record?.state === "intended") return { skipped: "a launch of this key is not finished" };
    if (record?.state === "ended") return terminate(run, item);
    if (record?.instanceId === item.instanceId) return { skipped: "the store knows it now" };
    if (record?.instanceId !== undefined) {
      if (await lives(run, record.instanceId)) {
        return { skipped: `${record.instanceId} lives under the same key: it is a duplicate now` };
      }
      const unseen = await run.sight.whyNot(record);
      if (unseen !== null) return { skipped: `${unseen}, where the key's own instance is` };
    }
    return await terminateUnlessOfRun(run, item);
  },
  "unknown-run": async (run, item) =>
    run.record === null ? await terminateUnlessOfRun(run, item) : { skipped: "the store knows its key now" },
  duplicate: async (run, item) => {
    if (run.record?.instanceId === item.instanceId) return { skipped: "the store's own instance of this key" };
    if (!(await lives(run, item.keep, item.key))) {
      return { skipped: `${item.keep}, which should stay, is gone, or is not of this key` };
    }
    return terminate(run, item, () =>
      run.ended.has(item.keep) ? `${item.keep}, which should stay, is ended too` : null,
    );
  },
  expired: (run, item) =>
    terminate(run, item, ({ expiresAt = item.expiresAt }) =>
      Date.parse(expiresAt) <= run.expiredBy
        ? null
        : `it expires at ${expiresAt}, which may not have passed on the clock that gave it`,
    ),
  missing: async (run, item) => {
    if (run.recordId === null || run.record?.instanceId !== item.instanceId) return "gone";
    const unseen = await run.sight.whyNot(run.record);
    if (unseen !== null) return { skipped: unseen };
    if (!(await run.mustShow())) return { skipped: "it was launched just now" };
    const one = await run.provider.get(item.instanceId, run.call);
    const listed = await run.provider.list({ ids: [item.instanceId] }, run.call);
    if ((one !== null && one.status !== "terminated") || listed.length > 0) return { skipped: "it is there" };
    await run.store.remove(run.recordId);
    // It is forgotten, whatever becomes of what else was known of it.
    await endClaim(run.store, run.provider.owner, run.recordId, run.clock).catch(() => undefined);
    await forgetRest(run.store, run.record).catch(() => undefined);
    return "forgotten";
  },
  drifted: async () => ({ skipped: "what to do with it is the caller's decision" }),
};

async function terminateUnlessOfRun(run: Applying, item: PlanItem): Promise<Outcome> {
  const ofRun = run.record === null ? await run.whyOfRun(item.key) : null;
  return ofRun === null ? terminate(run, item) : { skipped: ofRun };
}

async function lives(run: Applying, id: string, key?: string | null): Promise<boolean> {
  const instance = await run.provider.get(id, run.call);
  return instance !== null && !hasEnded(instance) && (key === undefined || instance.key === key);
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
  run.ended.add(item.instanceId);
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
