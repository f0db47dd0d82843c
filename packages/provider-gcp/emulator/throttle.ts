import type { HttpAnswer } from "@slipway/provider-kit/emulator";
import { failed } from "./answers.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000;

/** Counts requests of each group; the budgets are filled at whole minutes, not bit by bit. Null if the request passes. */
export function throttle(world: World): (group: string) => HttpAnswer | null {
  const used = new Map<string, number>();
  let minute = 0;
  return (group) => {
    const { limits } = world.settings;
    if (limits === null) return null;
    const now = world.clock.now();
    if (Math.floor(now / MINUTE_MS) !== minute) {
      minute = Math.floor(now / MINUTE_MS);
      used.clear();
    }
    const count = (used.get(group) ?? 0) + 1;
    used.set(group, count);
    if (count > limits.requestsPerMinute)
      return refused(`Quota exceeded for quota metric '${group}' and limit 'per minute'.`);
    const running = [...world.operations.values()].filter(({ doneAt }) => doneAt > now).length;
    if (group !== "write" || running < limits.concurrentOperations) return null;
    return refused("Too many operations at once.", "CONCURRENT_OPERATIONS_QUOTA_EXCEEDED");
  };
}

function refused(message: string, info?: string): HttpAnswer {
  return failed(403, "rateLimitExceeded", message, info, "usageLimits");
}
