import type { SeededRandom } from "@slipway/provider-kit/emulator";

/** What a sequence has made so far, and the dice. */
export interface Pool {
  readonly random: SeededRandom;
  /** Shared names by kind; only of what both sides made. */
  readonly made: Map<string, string[]>;
  /** The last launch with a client token, to be sent again. */
  again: Step | null;
  hasEnded: boolean;
  /** Rises with each use: names that are used once. */
  readonly fresh: () => number;
}

export interface Step {
  readonly call: string;
  readonly input: object;
}

export function newPool(random: SeededRandom): Pool {
  let count = 0;
  return { random, made: new Map(), again: null, hasEnded: false, fresh: () => (count += 1) };
}

export function chance(pool: Pool, probability: number): boolean {
  return pool.random.next() < probability;
}

export function oneOf<T>(pool: Pool, items: readonly T[]): T {
  const item = items[pool.random.whole(items.length)];
  if (item === undefined) throw new Error("nothing to choose from");
  return item;
}

/** A reference to something of a kind; now and then to what is not there. Undefined where nothing was made yet. */
export function some(pool: Pool, kind: string, missing: string): { readonly id: string } | undefined {
  const names = pool.made.get(kind) ?? [];
  if (chance(pool, 0.06)) return { id: missing };
  return names.length === 0 ? undefined : { id: oneOf(pool, names) };
}

/** Several of a kind, each once. */
export function several(pool: Pool, kind: string): readonly { readonly id: string }[] {
  const names = pool.made.get(kind) ?? [];
  return names.filter(() => chance(pool, 0.6)).map((id) => ({ id }));
}
