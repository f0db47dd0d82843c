import type { Clock } from "@slipway/core";

/** The largest number of tokens, and how many come back in a second. */
interface Size {
  readonly most: number;
  readonly perSecond: number;
}

const size = (most: number, perSecond: number): Size => ({ most, perSecond });

const READS = size(100, 20);
const WHOLE_LISTS = size(50, 10);
const WRITES = size(50, 5);
const LARGE_WRITES = size(100, 5);

// Lists of these that are neither filtered nor paged cost more.
const DEAR_LISTS = [
  "DescribeInstances",
  "DescribeInstanceStatus",
  "DescribeNetworkInterfaces",
  "DescribeSecurityGroups",
  "DescribeSnapshots",
  "DescribeSpotInstanceRequests",
  "DescribeVolumes",
];

const SIZES: Readonly<Record<string, Size>> = {
  RunInstances: size(5, 2),
  StartInstances: size(5, 2),
  TerminateInstances: LARGE_WRITES,
  CreateTags: size(100, 10),
  DeleteTags: size(100, 10),
  CreateVolume: LARGE_WRITES,
  DeleteVolume: LARGE_WRITES,
  CreateSnapshot: LARGE_WRITES,
  DeleteSnapshot: LARGE_WRITES,
  DeregisterImage: LARGE_WRITES,
  GetCallerIdentity: size(600, 600),
};

// Each instance that a call names or makes costs one of these besides.
const RESOURCES: Readonly<Record<string, Size>> = {
  RunInstances: size(1_000, 2),
  StartInstances: size(1_000, 2),
  TerminateInstances: size(1_000, 20),
  StopInstances: size(1_000, 20),
};

// Times are sums of fractions: what lacks less than this is rounding.
const ROUNDING = 1e-6;

class Bucket {
  readonly #size: Size;
  #tokens: number;
  #at: number;

  constructor(of: Size, now: number) {
    this.#size = of;
    this.#tokens = of.most;
    this.#at = now;
  }

  has(count: number, now: number): boolean {
    this.#tokens = Math.min(this.#size.most, this.#tokens + ((now - this.#at) * this.#size.perSecond) / 1_000);
    this.#at = now;
    return this.#tokens >= count - ROUNDING;
  }

  take(count: number): void {
    this.#tokens = Math.max(0, this.#tokens - count);
  }
}

/** What a call draws on. */
export interface Drawn {
  readonly region: string;
  readonly action: string;
  /** Neither filtered, nor paged, nor by ids. */
  readonly isWholeList: boolean;
  readonly instances: number;
}

/** Counts the calls of all clients of the account; false where one comes too soon. */
export function throttle(scale: number | null, clock: Clock): (drawn: Drawn) => boolean {
  if (scale === null) return () => true;
  const buckets = new Map<string, Bucket>();
  const bucket = (name: string, { most, perSecond }: Size): Bucket => {
    const known = buckets.get(name) ?? new Bucket(size(most * scale, perSecond * scale), clock.now());
    buckets.set(name, known);
    return known;
  };
  return ({ region, action, isWholeList, instances }) => {
    const now = clock.now();
    const dear = isWholeList && DEAR_LISTS.includes(action);
    const requests = bucket(`${region} ${action}${dear ? " whole" : ""}`, dear ? WHOLE_LISTS : sizeOf(action));
    const resourceSize = RESOURCES[action];
    const resources = resourceSize === undefined ? undefined : bucket(`${region} ${action} instances`, resourceSize);
    if (!requests.has(1, now) || resources?.has(instances, now) === false) return false;
    requests.take(1);
    resources?.take(instances);
    return true;
  };
}

function sizeOf(action: string): Size {
  return SIZES[action] ?? (/^(Describe|Get|List|Search)/.test(action) ? READS : WRITES);
}
