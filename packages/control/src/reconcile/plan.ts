import type { Instance } from "@slipway/core";
import { hasEnded, oldest } from "../launch/lookup.ts";
import { type LaunchRecord, launchId, type StoredRecord } from "../store/record.ts";
import { stepKeyIn } from "../store/run-steps.ts";
import type { StoreEntry } from "../store/store.ts";
import type { StoreErrorCode } from "../store/store-error.ts";

/** One field in which an instance is not what its launch asked for. */
export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly actual: string | null;
}

interface ItemBase {
  readonly instanceId: string;
  readonly key: string | null;
  /** Why, in one sentence for a person. */
  readonly reason: string;
}

/** Nobody who uses this store launched it, and no step of a run made it, or only one that failed or was undone. */
export interface OrphanItem extends ItemBase {
  readonly kind: "orphan";
}
/** A step of a run made it, and the store has no such run: it may go on, on DBOS or Restate or in another store. */
export interface UnknownRunItem extends ItemBase {
  readonly kind: "unknown-run";
  readonly key: string;
}
/** One of several that live under one key. */
export interface DuplicateItem extends ItemBase {
  readonly kind: "duplicate";
  /** The one that stays: the store's, or the oldest. */
  readonly keep: string;
}
/** Its `expiresAt` has passed. */
export interface ExpiredItem extends ItemBase {
  readonly kind: "expired";
  readonly expiresAt: string;
}
/** The store has it, the remote does not. */
export interface MissingItem extends ItemBase {
  readonly kind: "missing";
  readonly key: string;
}
/** It lives, and is not what was asked for. */
export interface DriftedItem extends ItemBase {
  readonly kind: "drifted";
  readonly differences: readonly Difference[];
}

export type PlanItem = OrphanItem | UnknownRunItem | DuplicateItem | ExpiredItem | MissingItem | DriftedItem;

/** A launch whose region the provider is not configured for: nobody has looked, so that nothing is known of it. */
export interface NotLookedFor {
  readonly instanceId: string;
  readonly key: string;
  readonly region: string;
  readonly reason: string;
}

/** What is not as it should be, as plain data: it can be printed, stored, and applied later or never. */
export interface ReconcilePlan {
  readonly version: 1;
  readonly provider: string;
  readonly owner: string;
  readonly account: string;
  /** When the listing was begun, ISO 8601 UTC. */
  readonly at: string;
  /** One instance may appear more than once, as orphan and as expired. */
  readonly items: readonly PlanItem[];
  /**
   * Records that cannot be read, where there are any: what may belong to them is not among the items, and the plan is
   * complete only once they can be read.
   */
  readonly unread?: UnreadRecords;
  /** Launches that could not be looked for, where there are any: they are neither there nor missing. */
  readonly notLooked?: readonly NotLookedFor[];
}

/** The fields of the StoreError that names them. */
export interface UnreadRecords {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** All that a plan is made from. */
export interface Findings {
  readonly provider: string;
  readonly owner: string;
  readonly account: string;
  /** This owner's whole listing. */
  readonly instances: readonly Instance[];
  /**
   * The store's entries, read after the listing: so every listed instance had its intent written before. At least those
   * of the listed instances and of their keys, and all that are `launched`.
   */
  readonly entries: readonly StoreEntry[];
  /**
   * The store's entries as they were a whole `readAfterWriteMs` before the listing was begun, on the clock of the process
   * that read both. Only what stood there already must show in the listing: the time in a record is another machine's.
   */
  readonly earlier: readonly StoreEntry[];
  /** Keys of instances that a step of a run in the store has made, or may have made. */
  readonly runKeys?: ReadonlySet<string>;
  /** Keys of instances that nobody wants any more: their run is in the store, and has failed or has undone the step. */
  readonly abandonedKeys?: ReadonlySet<string>;
  /** Launches that the listing cannot show. */
  readonly notLooked?: readonly NotLookedFor[];
  /** When the listing was begun, milliseconds. */
  readonly listedAt: number;
  readonly now: number;
}

/**
 * Compares what the remote lists with what the store knows. Pure: the same findings give the same plan.
 *
 * @example
 * ```ts
 * import { type Findings, reconcile } from "@slipway/control";
 *
 * export const orphansOf = (findings: Findings) => planFrom(findings).items.filter(({ kind }) => kind === "orphan");
 * ```
 */
export function planFrom(findings: Findings): ReconcilePlan {
  const { provider, owner, account, listedAt, notLooked = [] } = findings;
  const books = openBooks(findings);
  const items = [
    ...books.living.flatMap((instance) => unclaimed(books, instance)),
    ...[...books.byKey.values()].flatMap((instances) => duplicates(books, instances)),
    ...books.living.flatMap((instance) => expired(books, instance, findings.now)),
    ...books.records.flatMap((record) => missing(books, record)),
    ...books.living.flatMap((instance) => drifted(books, instance)),
  ];
  const plan = { version: 1, provider, owner, account, at: new Date(listedAt).toISOString(), items } as const;
  return notLooked.length === 0 ? plan : { ...plan, notLooked };
}

interface Books {
  readonly living: readonly Instance[];
  /** What is there, and what may be there unseen. */
  readonly listedIds: ReadonlySet<string>;
  readonly byKey: ReadonlyMap<string, readonly Instance[]>;
  readonly records: readonly LaunchRecord[];
  readonly runKeys: ReadonlySet<string>;
  readonly abandonedKeys: ReadonlySet<string>;
  /** The record that an instance belongs to: by its id, or else by its key. */
  readonly recordOf: (instance: Instance) => LaunchRecord | undefined;
  /** Did the record stand in the store for so long that the listing must show what it names? */
  readonly isSettled: (record: LaunchRecord) => boolean;
}

function openBooks(findings: Findings): Books {
  const { provider, account, owner, instances, entries } = findings;
  const living = instances.filter((instance) => !hasEnded(instance));
  const byKey = new Map<string, Instance[]>();
  for (const instance of living) {
    if (instance.key === null) continue;
    const others = byKey.get(instance.key);
    if (others === undefined) byKey.set(instance.key, [instance]);
    else others.push(instance);
  }
  const records = entries
    .filter(
      ({ id, record }) => record.kind === "launch" && id === launchId({ ...record.identity, provider, account, owner }),
    )
    .map(({ record }) => record)
    .filter((record) => record.kind === "launch");
  const earlier = new Map(findings.earlier.map(({ id, record }) => [id, record]));
  const byInstance = new Map(records.map((record) => [record.instanceId, record]));
  const byRecordKey = new Map(records.map((record) => [record.identity.key, record]));
  return {
    living,
    listedIds: new Set([
      ...instances.filter(({ status }) => status !== "terminated").map(({ id }) => id),
      ...(findings.notLooked ?? []).map(({ instanceId }) => instanceId),
    ]),
    byKey,
    records,
    runKeys: findings.runKeys ?? new Set(),
    abandonedKeys: findings.abandonedKeys ?? new Set(),
    recordOf: (instance) =>
      byInstance.get(instance.id) ?? (instance.key === null ? undefined : byRecordKey.get(instance.key)),
    isSettled: (record) => isSameLaunch(earlier.get(launchId(record.identity)), record),
  };
}

/** Do both say the same of the same spawn? */
export function isSameLaunch(before: StoredRecord | null | undefined, now: LaunchRecord): boolean {
  return (
    before?.kind === "launch" &&
    before.state === now.state &&
    before.attempt === now.attempt &&
    before.instanceId === now.instanceId
  );
}

function unclaimed(books: Books, instance: Instance): readonly (OrphanItem | UnknownRunItem)[] {
  const { id: instanceId, key } = instance;
  const record = books.recordOf(instance);
  if (record === undefined && key !== null && stepKeyIn(key) !== null && !books.abandonedKeys.has(key)) {
    if (books.runKeys.has(key)) return [];
    return [{ kind: "unknown-run", instanceId, key, reason: "a step of a run made it, and the store has no such run" }];
  }
  const reason = whyOrphan(books, instance, record);
  return reason === null ? [] : [{ kind: "orphan", instanceId, key, reason }];
}

function whyOrphan(books: Books, instance: Instance, record: LaunchRecord | undefined): string | null {
  if (record === undefined) return "the store has no launch of this key";
  if (record.state === "intended") return null;
  if (record.state === "refused")
    return books.isSettled(record) ? "the store knows that this key launched nothing" : null;
  if (record.state === "ended") {
    return books.isSettled(record)
      ? `the store knows that the last instance of this key, ${record.instanceId}, has ended`
      : null;
  }
  if (record.instanceId === instance.id) return null;
  // While the key's own instance lives, the other one is its duplicate.
  if (record.instanceId !== undefined && books.listedIds.has(record.instanceId)) return null;
  return books.isSettled(record) ? `the store knows ${record.instanceId} under this key, which is gone` : null;
}

function duplicates(books: Books, instances: readonly Instance[]): readonly DuplicateItem[] {
  if (instances.length < 2) return [];
  const known = instances.find((instance) => books.recordOf(instance)?.instanceId === instance.id);
  const keep = known ?? oldest(instances);
  return instances
    .filter((instance) => keep !== undefined && instance.id !== keep.id)
    .map(({ id, key }) => ({
      kind: "duplicate",
      instanceId: id,
      key,
      keep: keep?.id ?? id,
      reason: `${keep?.id} lives under the same key`,
    }));
}

function expired(books: Books, instance: Instance, now: number): readonly ExpiredItem[] {
  const record = books.recordOf(instance);
  // Not every remote keeps it; the store does.
  const asked = record?.instanceId === instance.id ? record.expected.expiresAt : undefined;
  const expiresAt = instance.expiresAt ?? asked;
  if (expiresAt === undefined || !(Date.parse(expiresAt) <= now)) return [];
  return [
    { kind: "expired", instanceId: instance.id, key: instance.key, expiresAt, reason: `it expired at ${expiresAt}` },
  ];
}

function missing(books: Books, record: LaunchRecord): readonly MissingItem[] {
  const id = record.instanceId;
  if (record.state !== "launched" || id === undefined || books.listedIds.has(id) || !books.isSettled(record)) return [];
  return [{ kind: "missing", instanceId: id, key: record.identity.key, reason: "the provider no longer lists it" }];
}

function drifted(books: Books, instance: Instance): readonly DriftedItem[] {
  const record = books.recordOf(instance);
  if (record?.instanceId !== instance.id) return [];
  const differences = differencesOf(record, instance);
  if (differences.length === 0) return [];
  const fields = differences.map(({ field }) => field).join(", ");
  return [
    { kind: "drifted", instanceId: instance.id, key: instance.key, differences, reason: `it differs in ${fields}` },
  ];
}

function differencesOf(record: LaunchRecord, instance: Instance): readonly Difference[] {
  const { spec, region, labels } = record.expected;
  const differences: Difference[] = [];
  const compare = (field: string, expected: string | undefined, actual: string | undefined): void => {
    if (expected !== undefined && expected !== actual) differences.push({ field, expected, actual: actual ?? null });
  };
  // What the remote does not tell is no difference.
  if (instance.spec !== undefined) compare("spec", spec, instance.spec);
  if (instance.region !== undefined) compare("region", region, instance.region);
  for (const [name, value] of Object.entries(labels ?? {})) compare(`labels.${name}`, value, instance.labels[name]);
  if (instance.status === "error") compare("status", "running", instance.status);
  return differences;
}
