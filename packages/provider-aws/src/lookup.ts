import { isProviderError, nameFor, ProviderError } from "@slipway/core";
import type { ListHint } from "@slipway/provider-kit/driver";
import { PROVIDER, refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import { codeOfReason } from "./errors.ts";
import { inRegions, nativeIdOf } from "./ids.ts";
import { type AWSInstance, type Ec2Instance, materialize } from "./instance.ts";
import { keyFilter, ownerFilters, TAGS } from "./tags.ts";

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
/** A filter takes so many values. */
export const MOST_VALUES = 200;
const PAGE = 1000;
const MOST_REMEMBERED = 1_000;

export function isInstanceId(id: string): boolean {
  return INSTANCE_ID.test(nativeIdOf(id));
}

/** Null if EC2 says that there is none in this region. */
export async function describeIn(
  context: AwsContext,
  call: Call,
  region: string,
  nativeId: string,
): Promise<AWSInstance | null> {
  const wire = await context.batches.describe(call, region, nativeId);
  return wire === null ? null : shown(context, region, wire);
}

/** The instance in its region, or in the first configured one that has it for a bare id. */
export function describe(context: AwsContext, call: Call, id: string): Promise<AWSInstance | null> {
  return inRegions(context, id, (region) => describeIn(context, call, region, nativeIdOf(id)));
}

/** What EC2 shows of what the hint wants, also what Slipway did not make. */
export async function* instancesOf(
  context: AwsContext,
  call: Call,
  hint: ListHint,
): AsyncGenerator<readonly AWSInstance[]> {
  const { ids, names } = hint;
  if (ids !== undefined) yield await byIds(context, call, ids);
  else if (names !== undefined) yield await byNames(context, call, names);
  else yield await inEveryRegion(context, call, hint);
}

async function inEveryRegion(
  context: AwsContext,
  call: Call,
  { owner = "*", keys = [], region }: ListHint,
): Promise<readonly AWSInstance[]> {
  const byKey = owner !== "*" && keys.length > 0 && keys.length <= MOST_VALUES ? [keyFilter(owner, ...keys)] : [];
  const all = await Promise.all(
    (region === undefined ? context.regions : [region]).map((place) =>
      // No filter by state: EC2 would leave out what is in a state that we do not know, and may be billed.
      regional(call, () => listed(context, call, place, [...ownerFilters(owner), ...byKey])),
    ),
  );
  return all.flat();
}

/** Ids are read as `get` reads them: many at once, and those that are not there are left out. */
async function byIds(context: AwsContext, call: Call, ids: readonly string[]): Promise<readonly AWSInstance[]> {
  const wanted = [...new Set(ids)].filter(isInstanceId);
  const found = await Promise.all(wanted.map((id) => describe(context, call, id)));
  return found.filter((instance) => instance !== null);
}

/** Keys are looked up in all regions, many at once. What is missing though it was launched just now is there: EC2 lists the ended. */
async function byNames(context: AwsContext, call: Call, names: readonly string[]): Promise<readonly AWSInstance[]> {
  // Before the question: its answer may take so long that this is forgotten by then.
  const launched = names.flatMap((name) => context.launched.find(name)?.thing ?? []);
  const asked = context.regions.flatMap((region) => names.map((name) => context.keyLookups.ask(call, region, name)));
  const found = (await Promise.all(asked)).flat();
  return [...found, ...launched.filter(({ id }) => !found.some((one) => one.id === id))];
}

interface Filter {
  readonly Name: string;
  readonly Values: string[];
}

/** All instances of a region that the filters let through, whatever their owner. */
async function listed(
  context: AwsContext,
  call: Call,
  region: string,
  filters: readonly Filter[],
): Promise<readonly AWSInstance[]> {
  const reservations = await context.client.all(
    call,
    region,
    "DescribeInstances",
    { Filters: [...filters], MaxResults: PAGE },
    (page) => page.Reservations,
  );
  if (reservations.some(({ Instances }) => Instances === undefined)) {
    throw refusal("INTERNAL", call.operation, "EC2 lists a reservation without its instances");
  }
  const instances = reservations.flatMap(({ Instances = [] }) => Instances);
  if (!instances.every(({ InstanceId = "" }) => INSTANCE_ID.test(InstanceId))) {
    throw refusal("INTERNAL", call.operation, "EC2 lists an instance without an id");
  }
  return instances.map((instance) => shown(context, region, instance));
}

/** What EC2 shows, as an instance; where it ended one by itself, for lack of capacity, it is remembered that there is none. */
function shown(context: AwsContext, region: string, wire: Ec2Instance): AWSInstance {
  const instance = materialize(region, wire);
  const { nativeId, statusReason, zone, lifecycle, spec: type = "" } = instance;
  const code = codeOfReason({ Code: statusReason?.code, Message: statusReason?.message });
  const wasRoom = code === "SPOT_INTERRUPTED" || code === "CAPACITY_ERROR";
  // Once each: EC2 goes on showing it for an hour.
  if (!wasRoom || context.endedForRoom.has(nativeId)) return instance;
  if (context.endedForRoom.size >= MOST_REMEMBERED) context.endedForRoom.clear();
  context.endedForRoom.add(nativeId);
  const capacityType = lifecycle === "spot" ? "spot" : "on-demand";
  context.unavailable.note({ capacityType, type, region, zone }, "offering");
  return instance;
}

/** A region that fails fails the whole, and says that it was the region. */
async function regional<T>(call: Call, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isProviderError(error) || error.code === "CANCELLED" || call.signal?.aborted === true) throw error;
    const { code, message, effect, retryAfterMs, exhausted, native, hint } = error;
    throw new ProviderError(code, {
      message,
      provider: PROVIDER,
      operation: call.operation,
      effect,
      scope: "region",
      retryAfterMs,
      exhausted,
      native,
      hint,
      cause: error,
    });
  }
}

/**
 * Everything in a region that has one of these names, by our tag or by the tag that people see, and by its name. Keys that
 * are looked up at once are two requests.
 */
export async function listNames(
  context: AwsContext,
  call: Call,
  region: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, { readonly value: readonly AWSInstance[] }>> {
  const found = await Promise.all(
    [TAGS.handle, TAGS.remoteName].map((tag) =>
      listed(context, call, region, [{ Name: `tag:${tag}`, Values: [...names] }]),
    ),
  );
  const named = new Map<string, AWSInstance[]>(names.map((name) => [name, []]));
  for (const instance of found.flat()) {
    const { owner, key, remoteName } = instance;
    const own = owner === null || key === null ? undefined : nameFor(owner, key);
    for (const name of new Set([own, remoteName])) if (name !== undefined) named.get(name)?.push(instance);
  }
  return new Map([...named].map(([name, value]) => [name, { value }]));
}

/** The instance that a client token made, terminated ones too: EC2 shows those for about an hour. */
export async function madeByToken(
  context: AwsContext,
  call: Call,
  region: string,
  token: string,
): Promise<AWSInstance | undefined> {
  const [found] = await listed(context, call, region, [{ Name: "client-token", Values: [token] }]);
  return found;
}
