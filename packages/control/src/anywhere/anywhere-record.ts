import { type Clock, type Provider, ProviderError, timestamp } from "@slipway/core";
import {
  type DataRecord,
  type JsonValue,
  type LaunchIdentity,
  launchId,
  recordId,
  type StoredRecord,
} from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

/**
 * Which provider a key was launched on by `launchAnywhere`. It is written before the launch's own record, which stays below
 * it: as long as that one is `intended` or `launched`, the key belongs to this provider.
 */
export interface Choice {
  readonly provider: string;
  readonly account: string;
  readonly spec: string;
  readonly region: string | null;
  /** Null where nobody knew it. */
  readonly usdPerHour: number | null;
  /** Of what was asked for: another need under the same key is another machine. */
  readonly needHash: string;
}

export function anywhereId(owner: string, key: string): string {
  return recordId("anywhere", owner, key);
}

export function choiceRecord(owner: string, key: string, choice: Choice, clock: Clock): DataRecord {
  const { provider, account } = choice;
  return {
    kind: "anywhere",
    name: key,
    owner,
    provider,
    account,
    state: "chosen",
    at: timestamp(clock),
    data: { ...choice },
  };
}

/**
 * @example
 * ```ts
 * const choice = await readChoice(store, "me", "worker-1");
 * console.log(choice === null ? "no place was chosen" : `${choice.provider} ${choice.spec}`);
 * ```
 */
export async function readChoice(store: LaunchStore, owner: string, key: string): Promise<Choice | null> {
  const id = anywhereId(owner, key);
  const record = await store.read(id);
  if (record === null) return null;
  const choice = record.kind === "anywhere" ? choiceOf(record.data) : null;
  if (choice !== null) return choice;
  throw new StoreError("CORRUPT", {
    message: `the record of ${id} does not say where the key was launched`,
    hint: "Look at all providers for the key; then remove the record, and launch the key again.",
  });
}

function choiceOf(data: JsonValue): Choice | null {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return null;
  const { provider, account, spec, region, usdPerHour, needHash } = data as { readonly [name: string]: JsonValue };
  if (typeof provider !== "string" || typeof account !== "string" || typeof spec !== "string") return null;
  if (typeof needHash !== "string" || (region !== null && typeof region !== "string")) return null;
  if (usdPerHour !== null && typeof usdPerHour !== "number") return null;
  return { provider, account, spec, region, usdPerHour, needHash };
}

/** May there be an instance of this launch? */
export function mayLive(record: StoredRecord | null): boolean {
  return record?.kind === "launch" && (record.state === "intended" || record.state === "launched");
}

/**
 * For `launch`, under the lease of its own record and before it writes an intent: throws CONFLICT where the key was
 * launched on another provider by `launchAnywhere`, or is being launched there now. A choice that came to nothing, or whose
 * instance has ended, is removed.
 */
export async function mustBeFree(provider: Provider, store: LaunchStore, identity: LaunchIdentity): Promise<void> {
  if ((await elsewhere(provider, store, identity)) === null) return;
  const id = anywhereId(identity.owner, identity.key);
  const lease = await store.acquire(id);
  try {
    // Nobody can choose while this lease is held, and whoever does so later needs the one that this launch holds.
    const choice = await elsewhere(provider, store, identity);
    if (choice === null) return;
    if (lease === null || (await isTaken(store, identity, choice))) throw takenElsewhere(provider, identity, choice);
    await store.remove(id);
  } finally {
    if (lease !== null) await store.release(lease).catch(() => undefined);
  }
}

/**
 * For a launch whose record was forgotten, under the lease of that: its choice says nothing any more, and would stay for
 * ever. Where `launchAnywhere` works on the key now, the choice is left to that.
 */
export async function forgetChoice(store: LaunchStore, identity: LaunchIdentity): Promise<void> {
  const { provider, account, owner, key } = identity;
  const isOwn = (choice: Choice | null): boolean => choice?.provider === provider && choice.account === account;
  // Most keys have none, and need no second lease.
  if (!isOwn(await readChoice(store, owner, key))) return;
  const id = anywhereId(owner, key);
  const lease = await store.acquire(id);
  if (lease === null) return;
  try {
    if (isOwn(await readChoice(store, owner, key))) await store.remove(id);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

/** The choice of another provider, or of another account of this one. */
async function elsewhere(provider: Provider, store: LaunchStore, identity: LaunchIdentity): Promise<Choice | null> {
  const choice = await readChoice(store, identity.owner, identity.key);
  return choice?.provider === provider.name && choice.account === identity.account ? null : choice;
}

async function isTaken(store: LaunchStore, { owner, key }: LaunchIdentity, choice: Choice): Promise<boolean> {
  const { provider, account } = choice;
  return mayLive(await store.read(launchId({ provider, account, owner, key })));
}

function takenElsewhere(provider: Provider, { key }: LaunchIdentity, choice: Choice): ProviderError<"CONFLICT"> {
  return new ProviderError("CONFLICT", {
    message: `the key ${JSON.stringify(key)} was launched on ${choice.provider} by launchAnywhere, or is being launched`,
    provider: provider.name,
    operation: "launch",
    effect: "none",
    hint: "Use another key, or terminate that instance first: `terminateAndConfirm` with the store frees the key.",
  });
}
