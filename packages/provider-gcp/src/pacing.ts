import { type Clock, type Pacing, runtimeDefaults } from "@slipway/core";
import { limits } from "@slipway/provider-kit/limits";
import type { GcpOptions } from "./options.ts";
import { PROVIDER } from "./remote.ts";

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
// What was refused twice in a row has used up its minute: Google fills its budgets at whole ones.
const FIRST_WAITS_MS = [SECOND_MS, 5_000];

/** The given budgets, or those that Google documents; after a refusal everybody waits a second, then five, then for the minute. */
export function pacingOf(options: GcpOptions): Pacing {
  const { runtime } = options;
  const { clock } = runtimeDefaults(runtime);
  const pacing = runtime?.limits ?? ownLimits(options);
  const refusals = new Map<string, { readonly count: number; readonly until: number }>();
  return {
    acquire: pacing.acquire,
    defer: (bucket, ms) => {
      const now = clock.now();
      const name = `${bucket.account} ${bucket.operation}`;
      const last = refusals.get(name);
      const isOld = last === undefined || now > last.until + MINUTE_MS;
      // Those that were under way together are refused together: that counts once.
      const count = isOld ? 0 : now < last.until ? last.count : last.count + 1;
      const wait = Math.max(ms, waitFor(count, clock));
      refusals.set(name, { count, until: now + wait });
      pacing.defer(bucket, wait);
    },
  };
}

function waitFor(count: number, clock: Clock): number {
  const restOfMinute = Math.max(SECOND_MS, MINUTE_MS - (clock.now() % MINUTE_MS));
  return Math.min(FIRST_WAITS_MS[count] ?? MINUTE_MS, restOfMinute);
}

/** Budgets for each group of methods, a twentieth of a minute's at once. */
function ownLimits({ requestsPerMinute = 1_500, runtime }: GcpOptions): Pacing {
  const { clock, onEvent } = runtimeDefaults(runtime);
  return limits({
    clock,
    onEvent,
    provider: PROVIDER,
    buckets: ["read", "list", "write", "operation"].map((operation) => ({
      operation,
      capacity: Math.max(1, Math.floor(requestsPerMinute / 20)),
      refillPerSecond: requestsPerMinute / 60,
    })),
  });
}
