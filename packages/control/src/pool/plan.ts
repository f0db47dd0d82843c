import type { PoolSize, PoolSlot, PoolSlotState } from "./slot.ts";

export interface PoolChange {
  readonly slot: number;
  readonly action: "launch" | "end" | "drain";
  readonly reason: string;
}

/** How machines that are out of date are replaced. */
export interface PoolReplacement {
  /** Replace what was launched with other options than the pool's own. */
  readonly onDrift: boolean;
  /** How many are being ended for that at once. */
  readonly most: number;
  /** Launch the new one first, where a slot is free. */
  readonly surge: boolean;
}

/** What a plan is made of: nothing else counts, and no event. */
export interface PoolFindings {
  readonly size: PoolSize;
  readonly slots: readonly PoolSlot[];
  readonly generation: string;
  readonly ttlMs?: number | undefined;
  readonly replace: PoolReplacement;
  /** Slots whose instance a listing does not show as living. */
  readonly unseen: ReadonlySet<number>;
  /** False while every placement is left alone after a failure. */
  readonly mayLaunch: boolean;
}

/** Only this change is of an instance that nobody may end, if it is there after all. */
export const IS_GONE = "its instance is gone";

/** Pure: what one round would do. */
export function planPool(findings: PoolFindings): readonly PoolChange[] {
  const { size, slots, unseen, replace, generation, ttlMs, mayLaunch } = findings;
  const within = slots.filter(({ slot }) => slot < size.max);
  const changes: PoolChange[] = [...unfinished(slots, unseen), ...beyond(slots, size.max)];
  const planned = new Set(changes.map(({ slot }) => slot));
  const isIn = ({ state, slot }: PoolSlot, ...states: readonly PoolSlotState[]): boolean =>
    states.includes(state) && !planned.has(slot);

  const staleness = (one: PoolSlot): string | undefined => {
    if (replace.onDrift && one.generation !== generation) return "launched with other options";
    return ttlMs !== undefined && one.ageMs >= ttlMs ? "older than ttlMs" : undefined;
  };
  for (const one of within) {
    const reason = staleness(one);
    if (reason !== undefined && isIn(one, "claimed")) changes.push({ slot: one.slot, action: "drain", reason });
  }

  const claimed = within.filter(({ state }) => state === "claimed").length;
  const wanted = typeof size.desired === "number" ? size.desired : claimed + size.desired.minIdle;
  const target = Math.min(wanted, size.max);
  const up = within.filter(({ state }) => state === "launching" || state === "idle" || state === "claimed").length;
  const free = within.filter((one) => isIn(one, "empty", "failed")).map(({ slot }) => slot);
  const idle = within.filter((one) => isIn(one, "idle"));
  const stale = idle.filter((one) => staleness(one) !== undefined);
  const launchIn = (count: number, reason: string): void => {
    if (mayLaunch) for (const slot of free.splice(0, count)) changes.push({ slot, action: "launch", reason });
  };

  if (up < target) launchIn(target - up, `${up} of ${target} are there`);
  if (up > target) {
    // Those that are out of date first, then the highest slots: all controllers choose the same ones.
    const inOrder = [...stale, ...idle.filter((one) => !stale.includes(one)).reverse()];
    for (const { slot } of inOrder.slice(0, up - target)) {
      changes.push({ slot, action: "end", reason: `${up} are there, and ${target} are wanted` });
    }
  }
  if (up === target) {
    const going = slots.filter(({ state }) => state === "ending").length;
    for (const one of stale.slice(0, Math.max(0, replace.most - going))) {
      const reason = staleness(one) ?? "";
      if (replace.surge && free.length > 0) launchIn(1, `before slot ${one.slot} ends: ${reason}`);
      else changes.push({ slot: one.slot, action: "end", reason });
    }
  }
  return changes;
}

/** What was begun, maybe by a controller that died, and what is gone. */
function unfinished(slots: readonly PoolSlot[], unseen: ReadonlySet<number>): readonly PoolChange[] {
  return slots.flatMap(({ slot, state }): readonly PoolChange[] => {
    if (state === "launching") return [{ slot, action: "launch", reason: "its launch was not finished" }];
    if (state === "ending") return [{ slot, action: "end", reason: "its end was not finished" }];
    const isUp = state === "idle" || state === "claimed" || state === "draining";
    return isUp && unseen.has(slot) ? [{ slot, action: "end", reason: IS_GONE }] : [];
  });
}

/** Slots that a smaller pool does not have. */
function beyond(slots: readonly PoolSlot[], max: number): readonly PoolChange[] {
  return slots.flatMap(({ slot, state }): readonly PoolChange[] => {
    if (slot < max) return [];
    const reason = `the pool has ${max} slots now`;
    if (state === "idle") return [{ slot, action: "end", reason }];
    return state === "claimed" ? [{ slot, action: "drain", reason }] : [];
  });
}
