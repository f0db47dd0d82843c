import type { InTurn } from "@slipway/provider-kit/limits";
import type { Call } from "./call.ts";

/** Runs at most so many works at once; the others wait, and who aborts while waiting has done nothing. */
export type Lanes = <T>(call: Call, work: () => Promise<T>) => Promise<T>;

export function lanes(inTurn: InTurn, count: number): Lanes {
  const waiting = Array.from({ length: count }, () => 0);
  return async (call, work) => {
    const lane = waiting.indexOf(Math.min(...waiting));
    waiting[lane] = (waiting[lane] ?? 0) + 1;
    try {
      return await inTurn(`lane ${lane}`, call, work);
    } finally {
      waiting[lane] = (waiting[lane] ?? 1) - 1;
    }
  };
}
