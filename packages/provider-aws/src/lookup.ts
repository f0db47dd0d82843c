import type { Instance as Ec2Instance } from "@aws-sdk/client-ec2";
import {
  type CallOptions,
  isProviderError,
  type ListFilter,
  nameFor,
  type Operation,
  ProviderError,
} from "@slipway/core";
import { matcherOf } from "@slipway/provider-kit/filters";
import { everyPage, PROVIDER, refusal } from "./call.ts";
import { type AwsContext, type Call, configuredRegion } from "./context.ts";
import { codeOfReason } from "./errors.ts";
import { inRegions, nativeIdOf, splitId } from "./ids.ts";
import { type AWSInstance, isEnding, materialize } from "./instance.ts";
import type { AwsCapability } from "./request.ts";
import { keyFilter, ownerFilters, ownershipOf, TAGS } from "./tags.ts";

const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
/** A filter takes so many values. */
export const MOST_VALUES = 200;
const PAGE = 1000;
const LOOK_AGAIN_MS = 2_000;
const MOST_REMEMBERED = 1_000;

export function isInstanceId(id: string): boolean {
  return INSTANCE_ID.test(nativeIdOf(id));
}

/** Null if EC2 says that there is none in this region. */
export function describeNative(
  context: AwsContext,
  call: Call,
  region: string,
  nativeId: string,
): Promise<Ec2Instance | null> {
  return context.batches.describe(call, region, nativeId);
}

/**
 * An instance of Slipway's where a method needs one: NOT_FOUND if there is none, BUSY where EC2 does not show it yet,
 * CONFLICT for one that somebody else made.
 */
export async function describeOne(
  context: AwsContext,
  call: Call,
  id: string,
): Promise<{ readonly region: string; readonly instance: Ec2Instance }> {
  const native = nativeIdOf(id);
  const found = isInstanceId(id)
    ? await inRegions(context, id, async (region) => {
        const instance = await describeNative(context, call, region, native);
        return instance === null ? null : { region, instance };
      })
    : null;
  if (found !== null && isTagged(found.instance)) return found;
  if (found !== null) {
    throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, { nativeId: id });
  }
  if (context.launched.byId(native) === undefined)
    throw refusal("NOT_FOUND", call.operation, `there is no instance ${id}`);
  throw refusal("BUSY", call.operation, `${id} was launched just now, and EC2 does not show it yet`, {
    retryAfterMs: 2_000,
  });
}

export async function getInstance(
  context: AwsContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<AWSInstance | null> {
  if (!isInstanceId(id)) return null;
  const call = { operation: "get", signal };
  const native = nativeIdOf(id);
  const found = await inRegions(context, id, async (region) => {
    const instance = await describeNative(context, call, region, native);
    return instance === null ? null : shown(context, region, instance);
  });
  // Not-found so shortly after the launch is no proof.
  return found ?? context.launched.byId(native) ?? null;
}

export async function listInstances(
  context: AwsContext,
  filter: ListFilter<AwsCapability> = {},
  { signal, operation = "list" }: CallOptions & { readonly operation?: Operation } = {},
): Promise<readonly AWSInstance[]> {
  const call = { operation, signal };
  const regions = filter.region === undefined ? context.regions : [configuredRegion(context, operation, filter.region)];
  const found =
    filter.ids === undefined ? inRegionsListed(context, call, regions, filter) : byIds(context, call, filter.ids);
  return (await found).filter(matching(context, filter));
}

async function inRegionsListed(
  context: AwsContext,
  call: Call,
  regions: readonly string[],
  filter: ListFilter<AwsCapability>,
): Promise<readonly AWSInstance[]> {
  const owner = filter.owner ?? context.owner;
  const { keys = [] } = filter;
  const byKey = owner !== "*" && keys.length > 0 && keys.length <= MOST_VALUES ? [keyFilter(owner, ...keys)] : [];
  const all = await Promise.all(
    regions.map((region) =>
      // No filter by state: EC2 would leave out what is in a state that we do not know, and may be billed.
      regional(call, () => listed(context, call, region, [...ownerFilters(owner), ...byKey])),
    ),
  );
  return all.flat();
}

/** Ids are read as `get` reads them: many at once, and those that are not there are left out. */
async function byIds(context: AwsContext, call: Call, ids: readonly string[]): Promise<readonly AWSInstance[]> {
  const wanted = [...new Set(ids)].filter(isInstanceId);
  const found = await Promise.all(
    wanted.map((id) =>
      inRegions(context, id, async (region) => {
        const instance = await describeNative(context, call, region, splitId(id).nativeId);
        return instance === null ? null : shown(context, region, instance);
      }),
    ),
  );
  return dedupeById(found.filter((instance) => instance !== null));
}

interface Filter {
  readonly Name: string;
  readonly Values: string[];
}

/** All instances of a region that the filters let through, each once, whatever their owner. */
async function listed(
  context: AwsContext,
  call: Call,
  region: string,
  filters: readonly Filter[],
): Promise<readonly AWSInstance[]> {
  const reservations = await everyPage(
    call,
    (token) =>
      context.client.send(call, region, "DescribeInstances", { Filters: [...filters], MaxResults: PAGE, ...token }),
    (page) => page.Reservations,
  );
  if (reservations.some(({ Instances }) => Instances === undefined)) {
    throw refusal("INTERNAL", call.operation, "EC2 lists a reservation without its instances");
  }
  const instances = reservations.flatMap(({ Instances = [] }) => Instances);
  if (!instances.every(({ InstanceId = "" }) => INSTANCE_ID.test(InstanceId))) {
    throw refusal("INTERNAL", call.operation, "EC2 lists an instance without an id");
  }
  return dedupeById(instances.map((instance) => shown(context, region, instance)));
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

/** Should pages that moved show one instance twice, it is still one. */
function dedupeById(instances: readonly AWSInstance[]): readonly AWSInstance[] {
  return [...new Map(instances.map((instance) => [instance.id, instance])).values()];
}

function matching(context: AwsContext, filter: ListFilter<AwsCapability>): (instance: AWSInstance) => boolean {
  const { owner = context.owner } = filter;
  const matches = matcherOf(filter);
  return (instance) => instance.owner !== null && (owner === "*" || instance.owner === owner) && matches(instance);
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

/** What stands under a key in all configured regions, and what ended under it. */
export interface UnderKey {
  /** Ours, neither ended nor ending; the oldest first. */
  readonly live: readonly AWSInstance[];
  /** The generation that a new instance has. */
  readonly nextGeneration: number;
  /** The native ids of those that have ended or are ending, as far as EC2 still shows them. */
  readonly ended: readonly string[];
  /** Something with our name that Slipway did not make. */
  readonly unmanaged: AWSInstance | undefined;
}

export async function underKey(context: AwsContext, call: Call, key: string): Promise<UnderKey> {
  const name = nameFor(context.owner, key);
  const found = (await Promise.all(context.regions.map((region) => context.keyLookups.ask(call, region, name)))).flat();
  const ours = found.filter(({ owner, key: its }) => owner === context.owner && its === key);
  // Reads may not show yet that this process has ended one.
  const isOver = (one: AWSInstance): boolean => isEnding(one) || context.ended.byId(one.nativeId) !== undefined;
  return {
    live: ours.filter((one) => !isOver(one)).toSorted(byAge),
    nextGeneration: Math.max(-1, ...ours.map(({ generation }) => generation)) + 1,
    ended: ours.filter(isOver).map(({ nativeId }) => nativeId),
    unmanaged: found.find(
      ({ owner, status, remoteName }) => owner === null && remoteName === name && status !== "terminated",
    ),
  };
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
  const instances = dedupeById(found.flat());
  const named = new Map<string, AWSInstance[]>(names.map((name) => [name, []]));
  for (const instance of instances) {
    const { owner, key, remoteName } = instance;
    const own = owner === null || key === null ? undefined : nameFor(owner, key);
    for (const name of new Set([own, remoteName])) if (name !== undefined) named.get(name)?.push(instance);
  }
  return new Map([...named].map(([name, value]) => [name, { value }]));
}

/** As `underKey`, asked again until something is there, or anything would be shown by now. */
export async function underKeyInTheEnd(context: AwsContext, call: Call, key: string): Promise<UnderKey> {
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    const under = await underKey(context, call, key);
    const left = until - context.clock.now();
    if (under.live.length > 0 || left <= 0) return under;
    await context.clock.sleep(Math.min(LOOK_AGAIN_MS, left), call.signal);
  }
}

function byAge(a: AWSInstance, b: AWSInstance): number {
  const [before, after] = [a.createdAt ?? "", b.createdAt ?? ""];
  return before === after ? (a.id < b.id ? -1 : 1) : before < after ? -1 : 1;
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

/** Is it known that Slipway made it? */
export function isTagged(instance: Ec2Instance): boolean {
  return ownershipOf(instance.Tags).owner !== null;
}
