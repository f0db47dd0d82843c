import { type Clock, type Offering, type Operation, type Price, timestamp } from "@slipway/core";
import type { Refusal } from "../errors/refusal.ts";

/**
 * What a machine costs by what the remote says now; undefined where it names no price, or none above 0.
 *
 * @example
 * ```ts
 * livePrice(0.75, clock)?.usdPerHour; // => 0.75
 * livePrice(0, clock); // => undefined
 * ```
 */
export function livePrice(usdPerHour: number | undefined, clock: Clock): Price | undefined {
  if (usdPerHour === undefined || usdPerHour <= 0) return undefined;
  return { usdPerHour, per: "instance", asOf: timestamp(clock), source: "live" };
}

/**
 * Offerings by their price and then by their name, those without a price last.
 *
 * @example
 * ```ts
 * cheapestFirst([{ spec: "unpriced" }, { spec: "small", price: livePrice(0.1, clock) }]).map(({ spec }) => spec);
 * // => ["small", "unpriced"]
 * ```
 */
export function cheapestFirst<O extends Offering>(offerings: readonly O[]): readonly O[] {
  const cost = ({ price }: Offering): number => price?.usdPerHour ?? Number.MAX_VALUE;
  return offerings.toSorted((a, b) => cost(a) - cost(b) || Number(a.spec > b.spec) - Number(a.spec < b.spec));
}

/** A machine that a spawn may go to, as far as its price counts. */
export interface PricedMachine {
  readonly spec: string;
  /** Undefined where the remote names none. */
  readonly usdPerHour: number | undefined;
}

/** Who refuses what costs too much. */
export interface PriceCheck {
  readonly refuse: Refusal;
  readonly operation: Operation;
  /** The remote's own name, as the message has it. */
  readonly remote: string;
}

/**
 * Those of the machines that cost at most `maxUsdPerHour`; INVALID_SPEC where none does. A machine without a price is above
 * every cap, since nobody knows what it would cost.
 *
 * @example
 * ```ts
 * const machines = [{ spec: "small", usdPerHour: 0.1 }, { spec: "large", usdPerHour: 4 }];
 * withinPriceCap(machines, 1, { refuse, operation: "spawn", remote: "Example" }); // only "small"
 * ```
 */
export function withinPriceCap<M extends PricedMachine>(
  machines: readonly M[],
  maxUsdPerHour: number | undefined,
  { refuse, operation, remote }: PriceCheck,
): readonly M[] {
  if (maxUsdPerHour === undefined) return machines;
  const payable = machines.filter(({ usdPerHour }) => usdPerHour !== undefined && usdPerHour <= maxUsdPerHour);
  if (payable.length > 0) return payable;
  const known = machines.flatMap(({ usdPerHour }) => usdPerHour ?? []);
  if (known.length > 0) {
    const least = Math.min(...known);
    const message = `maxUsdPerHour is ${maxUsdPerHour}, and the cheapest that fits costs ${least} US dollars an hour`;
    throw refuse("INVALID_SPEC", operation, message);
  }
  const names = [...new Set(machines.map(({ spec }) => spec))].join(", ");
  throw refuse(
    "INVALID_SPEC",
    operation,
    `maxUsdPerHour is ${maxUsdPerHour}, and ${remote} does not tell the price of ${names}`,
    {
      hint: "Spawn it without maxUsdPerHour, or ask for a machine type whose price is known.",
    },
  );
}
