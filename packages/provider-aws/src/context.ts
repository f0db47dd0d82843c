import type { Image } from "@aws-sdk/client-ec2";
import type { Clock, Operation, RuntimeEvent, Volume } from "@slipway/core";
import type { LifeCycle } from "@slipway/provider-kit/driver";
import type { KeyedMutex, ReadAfterWriteCache } from "@slipway/provider-kit/limits";
import type { Batching } from "./batching.ts";
import type { Call } from "./call.ts";
import type { AskedPrices } from "./capabilities/prices.ts";
import type { AwsClient } from "./client.ts";
import type { AWSInstance } from "./instance.ts";
import type { InstanceBatches } from "./instance-batches.ts";
import type { AWSSpawnOptions, Prepared } from "./request.ts";
import type { UnavailableOfferings } from "./unavailable.ts";

export type { Call };

/** What EC2 said, and when. */
export interface Kept<T> {
  readonly at: number;
  readonly value: T;
}

export type AwsLifeCycle = LifeCycle<AWSInstance, AWSInstance, AWSSpawnOptions, Prepared>;

/** What the methods of one provider have in common. */
export interface AwsContext {
  readonly owner: string;
  /** Made of a driver that is made of this. */
  readonly lifeCycle: () => AwsLifeCycle;
  readonly regions: readonly [string, ...string[]];
  readonly defaultSpec: string;
  readonly defaultImage: string | undefined;
  readonly instanceProfile: string | undefined;
  readonly cpuCredits: "standard" | "unlimited";
  readonly readAfterWriteMs: number;
  readonly clock: Clock;
  readonly emit: (event: RuntimeEvent) => void;
  readonly client: AwsClient;
  readonly batches: InstanceBatches;
  /** What has a name, by region. */
  readonly keyLookups: Batching<readonly AWSInstance[]>;
  readonly keyedMutex: KeyedMutex;
  readonly unavailable: UnavailableOfferings;
  /** Launched just now, by name: EC2 may not list them yet. */
  readonly launched: ReadAfterWriteCache<AWSInstance>;
  /** Volumes made just now, by key. */
  readonly created: ReadAfterWriteCache<Volume>;
  /** Where a volume of a key may have been made whose request has got no answer. */
  readonly unclearVolumes: ReadAfterWriteCache<{ readonly region: string; readonly zone: string }>;
  /** Native ids of instances that EC2 ended for lack of capacity, and that this was noted of. */
  readonly endedForRoom: Set<string>;
  /** Images and volumes deleted just now. */
  readonly deleted: ReadAfterWriteCache<true>;
  /** Warm volumes claimed just now, by instance. */
  readonly claimed: ReadAfterWriteCache<true>;
  /** Warm volumes whose claim has got no answer, by instance: it may have gone through. */
  readonly unclearClaims: ReadAfterWriteCache<true>;
  /** Volumes detached just now, by native id: EC2 may still show them where they were. */
  readonly released: ReadAfterWriteCache<true>;
  /** Hibernated or resumed just now, by native id: EC2 may still show what was before. */
  readonly powered: ReadAfterWriteCache<"hibernate" | "resume">;
  /** Zones that sell a machine type, by `region/type`. */
  readonly offerings: Map<string, { readonly at: number; readonly zones: ReadonlySet<string> }>;
  /** What the price list said, by region or `region/type`. */
  readonly prices: Map<string, AskedPrices>;
  /** Ids of our security groups, by region, network and name. */
  readonly securityGroups: Map<string, Promise<string>>;
  /** Image ids by `region/parameter`; what a parameter names changes. */
  readonly imageIds: Map<string, Kept<string>>;
  /** Available images by `region/id`: what they hold does not change. */
  readonly images: Map<string, Kept<Image>>;
  /** The default network's id, by region. */
  readonly defaultVpcs: Map<string, Kept<string>>;
}

/** The region that a call names, or the first configured one. INVALID_SPEC for one where `list` would not look. */
export function configuredRegion(
  { lifeCycle, regions }: Pick<AwsContext, "lifeCycle" | "regions">,
  operation: Operation,
  region: string | undefined,
): string {
  lifeCycle().checkRegion({ operation }, region);
  return region ?? regions[0];
}

const LOOK_AGAIN_MS = 2_000;

/**
 * What `look` finds: it looks again for as long as reads may lag behind writes. Undefined where a look that began after that
 * finds nothing: one that is answered late shows no more than when it began.
 */
export async function lookUntilShown<T>(
  { clock, readAfterWriteMs }: Pick<AwsContext, "clock" | "readAfterWriteMs">,
  { signal }: Call,
  look: () => Promise<T | undefined>,
  againMs: number = LOOK_AGAIN_MS,
): Promise<T | undefined> {
  const until = clock.now() + readAfterWriteMs;
  for (;;) {
    const begun = clock.now();
    const found = await look();
    if (found !== undefined || begun >= until) return found;
    await clock.sleep(Math.min(againMs, Math.max(0, until - clock.now())), signal);
  }
}
