import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { Call } from "./call.ts";

/** Runs at most so many works at once; the others wait, and who aborts while waiting has done nothing. */
export type Queues = <T>(call: Call, work: () => Promise<T>) => Promise<T>;

export function queues(keyedMutex: KeyedMutex, count: number): Queues {
  const waiting = Array.from({ length: count }, () => 0);
  return async (call, work) => {
    const queue = waiting.indexOf(Math.min(...waiting));
    waiting[queue] = (waiting[queue] ?? 0) + 1;
    try {
      return await keyedMutex(`queue ${queue}`, call, work);
    } finally {
      waiting[queue] = (waiting[queue] ?? 1) - 1;
    }
  };
}
