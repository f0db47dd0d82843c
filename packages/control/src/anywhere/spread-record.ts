import { type Clock, systemClock, timestamp } from "@slipway/core";
import { type DataRecord, type JsonValue, type LaunchIdentity, launchId, recordId } from "../store/record.ts";
import type { LaunchStore, Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { mayLive, readChoice } from "./anywhere-record.ts";

/** A machine that a spread has made. */
export interface SpreadMember {
  readonly key: string;
  readonly provider: string;
  readonly instanceId: string;
}

/**
 * How far a spread is. `growing`: machines are being launched, and their own records say which. `settled`: these are its
 * machines. `rolling-back`: these were too few, and are being terminated.
 */
export interface SpreadState {
  readonly state: "growing" | "settled" | "rolling-back";
  /** Of what was asked for. */
  readonly needHash: string;
  readonly members: readonly SpreadMember[];
}

export function spreadRecord(owner: string, key: string, { state, ...data }: SpreadState, clock?: Clock): DataRecord {
  const members = data.members.map((one) => ({ ...one }));
  const at = timestamp(clock ?? systemClock);
  return { kind: "spread", name: key, owner, state, at, data: { needHash: data.needHash, members } };
}

export function spreadId(owner: string, key: string): string {
  return recordId("spread", owner, key);
}

export async function readSpread(store: Store, id: string): Promise<SpreadState | null> {
  const record = await store.read(id);
  if (record === null) return null;
  const read = record.kind === "spread" ? stateOf(record) : null;
  if (read !== null) return read;
  throw new StoreError("CORRUPT", {
    message: `the record of ${id} does not say how far the spread is`,
    hint: "List the machines by their keys, end those that are not wanted, and remove the record.",
  });
}

const MEMBER = /^(.+)-[1-9]\d*$/;

/**
 * For a launch whose record was forgotten: once none of the machines of its spread may live any more, the record of that says
 * nothing, and would stay for ever. Where `spread` works on it now, it is left to that.
 */
export async function forgetSpread(store: Store, identity: LaunchIdentity): Promise<void> {
  const [, key] = MEMBER.exec(identity.key) ?? [];
  if (key === undefined) return;
  const id = spreadId(identity.owner, key);
  // Most keys that end in a number are of no spread, and need no second lease.
  if (!(await isOver(store, id, identity))) return;
  const lease = await store.acquire(id);
  if (lease === null) return;
  try {
    if (await isOver(store, id, identity)) await store.remove(id);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

/** Is it the settled spread of this launch, and is nothing left of it? */
async function isOver(store: Store, id: string, { account, owner, key }: LaunchIdentity): Promise<boolean> {
  const record = await store.read(id);
  const spread = record?.kind === "spread" ? stateOf(record) : null;
  if (spread?.state !== "settled" || !spread.members.some((one) => one.key === key)) return false;
  for (const { provider, key: other } of spread.members) {
    if (mayLive(await store.read(launchId({ provider, account, owner, key: other })))) return false;
  }
  return true;
}

/**
 * Were the ends of all of its machines confirmed and forgotten? For one whose record stayed: whoever forgot the last of them
 * was killed, or found its lease taken.
 */
export async function isForgotten(
  store: LaunchStore,
  { owner, account }: Pick<LaunchIdentity, "owner" | "account">,
  members: readonly SpreadMember[],
): Promise<boolean> {
  for (const { provider, key } of members) {
    // The caller may name another account than the one that has them.
    const choice = await readChoice(store, owner, key);
    const record = await store.read(launchId({ provider, account: choice?.account ?? account, owner, key }));
    // One that was kept as ended is not forgotten.
    if (record !== null && record.state !== "refused") return false;
  }
  return true;
}

function stateOf({ state, data }: DataRecord): SpreadState | null {
  const { needHash, members } = fields(data);
  if (state !== "growing" && state !== "settled" && state !== "rolling-back") return null;
  if (typeof needHash !== "string" || !Array.isArray(members)) return null;
  const read = members.map(memberOf);
  const whole = read.filter((one) => one !== null);
  return whole.length === read.length ? { state, needHash, members: whole } : null;
}

function memberOf(value: JsonValue): SpreadMember | null {
  const { key, provider, instanceId } = fields(value);
  if (typeof key !== "string" || typeof provider !== "string" || typeof instanceId !== "string") return null;
  return { key, provider, instanceId };
}

function fields(value: JsonValue): { readonly [name: string]: JsonValue | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: JsonValue })
    : {};
}
