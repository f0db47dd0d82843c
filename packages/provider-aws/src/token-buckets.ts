import type { Clock, Pacing, RuntimeEvent } from "@slipway/core";
import { type BucketLimit, limits } from "@slipway/provider-kit/limits";
import { PROVIDER } from "./call.ts";
import { DEFAULT_SHARE } from "./options.ts";

interface PublishedBucket {
  readonly actions: readonly string[];
  readonly burst: number;
  readonly perSecond: number;
}

const DEFAULT_READ = { burst: 100, perSecond: 20 };
const DEFAULT_WRITE = { burst: 50, perSecond: 5 };

// What EC2 publishes as another bucket than those two, per account, region and action.
const PUBLISHED: readonly PublishedBucket[] = [
  { actions: ["RunInstances", "StartInstances"], burst: 5, perSecond: 2 },
  { actions: ["TerminateInstances"], burst: 100, perSecond: 5 },
  { actions: ["CreateVolume", "DeleteVolume", "DeleteSnapshot", "DeregisterImage"], burst: 100, perSecond: 5 },
  // The price list publishes no numbers: these are modest.
  { actions: ["GetProducts"], burst: 10, perSecond: 5 },
  { actions: ["GetParameter"], burst: 40, perSecond: 20 },
  { actions: ["GetCostAndUsage", "GetCostAndUsageWithResources"], burst: 5, perSecond: 1 },
];

/** How many instances the calls may be about, beside how many calls there are. */
const PER_INSTANCE: readonly PublishedBucket[] = [
  { actions: ["RunInstances", "StartInstances"], burst: 1000, perSecond: 2 },
  { actions: ["TerminateInstances", "StopInstances"], burst: 1000, perSecond: 20 },
];

/** The bucket of an action's instances. */
export function instancesBucket(action: string): string | undefined {
  return PER_INSTANCE.some(({ actions }) => actions.includes(action)) ? `${action} instances` : undefined;
}

/** How many instances one call may end: more than the share holds would never get their turn. */
export function mostEndsAtOnce(share: number = DEFAULT_SHARE): number {
  const { burst } = PER_INSTANCE.find(({ actions }) => actions.includes("TerminateInstances")) ?? { burst: 1 };
  return Math.max(1, Math.floor(burst * share));
}

/** EC2's published limits, of which this provider takes its share: the account is used by others too. */
export function tokenBuckets(options: {
  readonly actions: readonly string[];
  readonly share: number;
  readonly clock: Clock;
  readonly onEvent: (event: RuntimeEvent) => void;
}): Pacing {
  const { actions, share, clock, onEvent } = options;
  const shared = (operation: string, { burst, perSecond }: Omit<PublishedBucket, "actions">): BucketLimit => ({
    operation,
    capacity: Math.max(1, Math.floor(burst * share)),
    refillPerSecond: perSecond * share,
  });
  const calls = actions.map((action) => {
    const read = /^(Describe|Get)/.test(action);
    const own = PUBLISHED.find((bucket) => bucket.actions.includes(action));
    return shared(action, own ?? (read ? DEFAULT_READ : DEFAULT_WRITE));
  });
  const instances = PER_INSTANCE.flatMap((bucket) =>
    bucket.actions.map((action) => shared(`${action} instances`, bucket)),
  );
  return limits({ buckets: [...calls, ...instances], clock, onEvent, provider: PROVIDER });
}
