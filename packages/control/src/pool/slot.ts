import { type Clock, type Provider, timestamp } from "@slipway/core";
import type { DataRecord, JsonValue, RecordedError } from "../store/record.ts";
import { recordId } from "../store/record.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

/**
 * `launching`: a launch may have been sent. `draining`: claimed, and to be ended once it is released. `ending`: being terminated.
 * `failed`: the last launch made nothing, and `lastError` says why.
 */
export type PoolSlotState = "empty" | "launching" | "idle" | "claimed" | "draining" | "ending" | "failed";

/** One place of a pool: at most one instance at a time, under the slot's own key. */
export interface PoolSlot {
  readonly slot: number;
  readonly key: string;
  /** The hash of the options that it was launched with. */
  readonly generation: string;
  readonly state: PoolSlotState;
  readonly instanceId?: string;
  /** When this state was written, ISO 8601 UTC. */
  readonly since: string;
  readonly claim?: string;
  readonly lastError?: RecordedError;
  /** How old its instance is at least, milliseconds, as far as the controllers have watched it. */
  readonly ageMs: number;
}

/** How large a pool is meant to be. */
export interface PoolSize {
  readonly max: number;
  /** So many in all, or so many beside those that are claimed. */
  readonly desired: number | { readonly minIdle: number };
}

/** Where a pool's records are. */
export interface PoolRecords {
  /** The size that was last set, or null. */
  readonly readSize: () => Promise<PoolSize | null>;
  readonly sizeId: string;
  readonly sizeRecord: (size: PoolSize) => DataRecord;
  /** Every slot that was ever used, by number. */
  readonly readSlots: () => Promise<ReadonlyMap<number, PoolSlot>>;
  readonly readSlot: (slot: number) => Promise<PoolSlot>;
  readonly writeSlot: (slot: PoolSlot) => Promise<void>;
  readonly slotId: (slot: number) => string;
  readonly claimId: (claim: string) => string;
  readonly keyOf: (slot: number) => string;
}

export function poolRecords(
  provider: Provider,
  name: string,
  account: string,
  store: Store,
  clock: Clock,
): PoolRecords {
  const { name: providerName, owner } = provider;
  const idOf = (...parts: readonly string[]): string => recordId("pool", providerName, account, owner, name, ...parts);
  const about = { kind: "pool", name, owner, provider: providerName, account } as const;
  const keyOf = (slot: number): string => `pool/${name}/${slot}`;
  const slotId = (slot: number): string => idOf("slot", String(slot));
  const emptySlot = (slot: number): PoolSlot => ({
    slot,
    key: keyOf(slot),
    generation: "",
    state: "empty",
    since: timestamp(clock),
    ageMs: 0,
  });
  const sizeId = idOf("size");

  return {
    sizeId,
    slotId,
    keyOf,
    claimId: (claim) => idOf("claim", claim),
    sizeRecord: ({ max, desired }) => ({
      ...about,
      state: "size",
      at: timestamp(clock),
      data: { max, desired: typeof desired === "number" ? desired : { minIdle: desired.minIdle } },
    }),
    readSize: async () => {
      const record = await store.read(sizeId);
      if (record === null) return null;
      const data: JsonValue = record.kind === "pool" ? record.data : null;
      if (isSize(data)) return data;
      throw corrupt(sizeId);
    },
    readSlots: async () => {
      const slots = new Map<number, PoolSlot>();
      for await (const { id, record } of store.entries({ kind: "pool", provider: providerName, account, owner })) {
        if (record.kind !== "pool" || record.name !== name || id === sizeId) continue;
        if (!isSlot(record.data) || id !== slotId(record.data.slot)) throw corrupt(id);
        slots.set(record.data.slot, record.data);
      }
      return slots;
    },
    readSlot: async (slot) => {
      const record = await store.read(slotId(slot));
      if (record === null) return emptySlot(slot);
      const data: JsonValue = record.kind === "pool" ? record.data : null;
      if (isSlot(data)) return data;
      throw corrupt(slotId(slot));
    },
    writeSlot: (slot) => {
      // Through JSON: what is absent is left out.
      const data: JsonValue = JSON.parse(JSON.stringify(slot)) as JsonValue;
      return store.write(slotId(slot.slot), { ...about, state: slot.state, at: slot.since, data });
    },
  };
}

const STATES: readonly unknown[] = ["empty", "launching", "idle", "claimed", "draining", "ending", "failed"];

function isSlot(value: JsonValue | PoolSlot): value is PoolSlot & { readonly [name: string]: JsonValue } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const texts = ["key", "generation", "since"].every((name) => typeof Reflect.get(value, name) === "string");
  return (
    texts &&
    Number.isSafeInteger(Reflect.get(value, "slot")) &&
    STATES.includes(Reflect.get(value, "state")) &&
    typeof Reflect.get(value, "ageMs") === "number"
  );
}

function isSize(
  value: JsonValue,
): value is { readonly max: number; readonly desired: number | { readonly minIdle: number } } {
  if (typeof value !== "object" || value === null) return false;
  const desired: unknown = Reflect.get(value, "desired");
  const minIdle: unknown = typeof desired === "object" && desired !== null ? Reflect.get(desired, "minIdle") : desired;
  return Number.isSafeInteger(Reflect.get(value, "max")) && typeof minIdle === "number";
}

function corrupt(id: string): StoreError {
  return new StoreError("CORRUPT", {
    message: `the record ${id} cannot be read as part of a pool; it was left as it is`,
    hint: "Restore it from a backup. Without it the pool would not know what runs in the slot.",
  });
}
