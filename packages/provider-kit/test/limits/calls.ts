import type { Pacing } from "@slipway/core";
import type { SimulatedClock } from "./simulated-clock.ts";

export const launch = { account: "a", operation: "launch" };
export const list = { account: "a", operation: "list" };

/** Starts calls and writes down, in order, when each went. */
export function watch(
  clock: SimulatedClock,
  pacing: Pacing,
): {
  readonly went: readonly (readonly [name: string, ms: number])[];
  readonly call: (
    bucket: { readonly account: string; readonly operation: string },
    name?: string,
    cost?: number,
  ) => void;
} {
  const begun = clock.now();
  const went: [name: string, ms: number][] = [];
  const call = (bucket: { account: string; operation: string }, name = bucket.operation, cost = 1): void => {
    void pacing.acquire(bucket, { cost }).then(() => went.push([name, clock.now() - begun]));
  };
  return { went, call };
}
