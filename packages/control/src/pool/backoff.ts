import type { Clock } from "@slipway/core";

/** Which placements are left alone for a while after they had no capacity; by this process's own clock. */
export interface Backoff {
  readonly isOpen: (placement: number) => boolean;
  readonly failed: (placement: number) => void;
  readonly worked: (placement: number) => void;
}

export function backoff(clock: Clock, [first, longest]: readonly [first: number, longest: number]): Backoff {
  const closed = new Map<number, { readonly failures: number; readonly until: number }>();
  return {
    isOpen: (placement) => (closed.get(placement)?.until ?? Number.NEGATIVE_INFINITY) <= clock.now(),
    failed: (placement) => {
      const failures = closed.get(placement)?.failures ?? 0;
      closed.set(placement, {
        failures: failures + 1,
        until: clock.now() + Math.min(first * 2 ** failures, longest),
      });
    },
    worked: (placement) => void closed.delete(placement),
  };
}
