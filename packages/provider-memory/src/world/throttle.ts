import { Refusal } from "./refusals.ts";
import type { Remote } from "./remote.ts";

/** Counts requests against the buckets of the settings. */
export interface Throttle {
  /** Refuses with `slow-down` where a bucket is empty. */
  readonly pass: (operation: string, purpose: string | null) => void;
}

export function throttle(world: Remote): Throttle {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    pass: (operation, purpose) => {
      for (const name of purpose === null ? [operation] : [operation, purpose]) {
        const rule = Object.hasOwn(world.settings.throttling, name) ? world.settings.throttling[name] : undefined;
        if (rule === undefined) continue;
        const now = world.clock.now();
        const bucket = buckets.get(name) ?? { tokens: rule.burst, at: now };
        const tokens = Math.min(rule.burst, bucket.tokens + ((now - bucket.at) / 1_000) * rule.perSecond);
        if (tokens < 1) {
          buckets.set(name, { tokens, at: now });
          const retryAfterSeconds = Math.ceil(((1 - tokens) / rule.perSecond) * 1_000) / 1_000;
          throw new Refusal("slow-down", `too many requests of ${name}`, { retryAfterSeconds });
        }
        buckets.set(name, { tokens: tokens - 1, at: now });
      }
    },
  };
}
