import type { ErrorCode } from "@slipway/core";
import { seededRandom } from "./random.ts";

/**
 * Where in a call a fault stands. `before`: refused, nothing was done. `after`: done, but answered with an error.
 * `reply-lost`: done, and the connection broke. `delayed`: done and answered late. `stale-read`: a read that does not see
 * the last writes.
 */
export type FaultTiming = "before" | "after" | "reply-lost" | "delayed" | "stale-read";

export interface Fault {
  /** A method of the contract, or `*` for any. */
  readonly operation: string;
  readonly when: FaultTiming;
  /** What the caller shall see, for `before` and `after`. */
  readonly code?: ErrorCode | undefined;
  /** The id of a row of the provider's own error table, where the remote's exact answer matters. */
  readonly row?: string | undefined;
  readonly delayMs?: number | undefined;
  /** How often; 1 if absent. */
  readonly times?: number | undefined;
  /** How likely each time, 0 to 1; 1 if absent. */
  readonly probability?: number | undefined;
}

export interface PlacedFault {
  readonly operation: string;
  readonly when: FaultTiming;
  readonly code?: ErrorCode | undefined;
  readonly row?: string | undefined;
}

/** Faults that wait for their call. */
export interface FaultScript {
  readonly add: (...faults: readonly Fault[]) => void;
  /**
   * The fault for this call, or undefined; what it answers is used up and noted in `placed`. A call that goes by several
   * names (a contract method and an operation on the wire) gives them all, the one to be noted first.
   */
  readonly take: (operation: string | readonly string[], ...timings: readonly FaultTiming[]) => Fault | undefined;
  readonly clear: () => void;
  /** What was really placed, in order. */
  readonly placed: readonly PlacedFault[];
}

/** A script; the seed decides where `probability` is below 1. */
export function faultScript(seed = 1): FaultScript {
  const random = seededRandom(seed);
  let waiting: { fault: Fault; left: number }[] = [];
  const placed: PlacedFault[] = [];
  return {
    add: (...faults) => {
      for (const fault of faults) waiting.push({ fault, left: fault.times ?? 1 });
    },
    take: (operation, ...timings) => {
      const names = typeof operation === "string" ? [operation] : operation;
      const entry = waiting.find(
        ({ fault }) =>
          (fault.operation === "*" || names.includes(fault.operation)) &&
          (timings.length === 0 || timings.includes(fault.when)) &&
          (fault.probability === undefined || random.next() < fault.probability),
      );
      if (entry === undefined) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) waiting = waiting.filter((other) => other !== entry);
      const { when, code, row } = entry.fault;
      placed.push({ operation: names[0] ?? "*", when, code, row });
      return entry.fault;
    },
    clear: () => {
      waiting = [];
    },
    placed,
  };
}
