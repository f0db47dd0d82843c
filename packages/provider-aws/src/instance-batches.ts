import type { Instance as Ec2Instance } from "@aws-sdk/client-ec2";
import { type Clock, isProviderError, type RuntimeEvent } from "@slipway/core";
import { batching, type Outcome } from "./batching.ts";
import { afterRefusal, type Call, refusal } from "./call.ts";
import type { AwsClient } from "./client.ts";
import { nativeCodeOf } from "./errors.ts";

/** Reads and ends of single instances, merged per region; per zone while a zone of the region is out of order. */
export interface InstanceBatches {
  /** Null if EC2 says that there is none. */
  readonly describe: (call: Call, region: string, nativeId: string) => Promise<Ec2Instance | null>;
  /** `unknown`: EC2 does not know it. */
  readonly terminate: (call: Call, region: string, nativeId: string) => Promise<"accepted" | "unknown">;
}

// EC2 takes so many ids.
const MOST = 1_000;
// Where a zone did not answer, each is asked by itself for so long.
const APART_MS = 60_000;
// Zones are remembered for this many instances; a forgotten one only costs a batch of its own.
const MOST_ZONES = 10_000;

const INSTANCE_ID = /\bi-[0-9a-f]{8,17}\b/g;
const ENDING: ReadonlySet<string> = new Set(["shutting-down", "terminated"]);
const UNKNOWN_ID = /^InvalidInstanceID\.(NotFound|Malformed)$/;

export function instanceBatches(
  client: AwsClient,
  {
    clock,
    onEvent,
    mostEnds = MOST,
  }: {
    readonly clock: Clock;
    readonly onEvent: (event: RuntimeEvent) => void;
    /** How many instances may end at once. */
    readonly mostEnds?: number | undefined;
  },
): InstanceBatches {
  const zones = new Map<string, string>();
  const apartUntil = new Map<string, number>();
  const common = { clock, onEvent };
  const zoneOf = (id: string): string => zones.get(id) ?? "?";
  const groupOf = (region: string, id: string): string =>
    clock.now() < (apartUntil.get(region) ?? 0) ? `${region}/${zoneOf(id)}` : `${region}/`;
  const remember = (instance: Ec2Instance): void => {
    const { InstanceId: id, Placement } = instance;
    if (id === undefined || Placement?.AvailabilityZone === undefined) return;
    if (zones.size >= MOST_ZONES) zones.clear();
    zones.set(id, Placement.AvailabilityZone);
  };
  /** A zone that is out of order fails what names its instances: then every zone is asked by itself. */
  const zoneByZone = async <R>(
    group: string,
    ids: readonly string[],
    ask: (some: readonly string[]) => Promise<ReadonlyMap<string, Outcome<R>>>,
    again: typeof ask,
  ): Promise<ReadonlyMap<string, Outcome<R>>> => {
    try {
      return await ask(ids);
    } catch (error) {
      const apart = Object.values(Object.groupBy(ids, zoneOf));
      if (!isProviderError(error, "UNAVAILABLE") || apart.length < 2) throw error;
      apartUntil.set(regionOfGroup(group), clock.now() + APART_MS);
      const parts = apart.map((some = []) =>
        again(some).catch((thrown: unknown) => new Map(some.map((id) => [id, { error: thrown }]))),
      );
      return new Map((await Promise.all(parts)).flatMap((part) => [...part]));
    }
  };
  const reads = batching<Ec2Instance | null>({
    ...common,
    most: MOST,
    writes: false,
    send: async (call, group, ids) => {
      const ask = (some: readonly string[]) => describeAll(client, call, regionOfGroup(group), some);
      const found = await zoneByZone(group, ids, ask, ask);
      for (const outcome of found.values()) if ("value" in outcome && outcome.value !== null) remember(outcome.value);
      return found;
    },
  });
  const ends = batching<"accepted" | "unknown">({
    ...common,
    most: Math.min(MOST, mostEnds),
    writes: true,
    // Each instance is looked at before it is ended.
    expectsMore: (call, group) => reads.isWaiting(call, group),
    send: (call, group, ids) => {
      const ask = (some: readonly string[]) => terminateAll(client, call, regionOfGroup(group), some);
      return zoneByZone(group, ids, ask, (some) =>
        afterRefusal(call, "EC2 did not say what became of these and others", () => ask(some)),
      );
    },
  });
  return {
    describe: (call, region, id) => reads.ask(call, groupOf(region, id), id),
    terminate: (call, region, id) => ends.ask(call, groupOf(region, id), id),
  };
}

function regionOfGroup(group: string): string {
  return group.slice(0, group.indexOf("/"));
}

async function describeAll(
  client: AwsClient,
  call: Call,
  region: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Outcome<Ec2Instance | null>>> {
  const found = new Map<string, Outcome<Ec2Instance | null>>();
  await withoutBadIds(ids, {
    ask: async (some) => {
      // Not all of them at once with a number of results: EC2 refuses both together.
      const reservations = await client.all(
        call,
        region,
        "DescribeInstances",
        { InstanceIds: [...some] },
        (page) => page.Reservations,
      );
      for (const instance of reservations.flatMap(({ Instances = [] }) => Instances)) {
        if (instance.InstanceId !== undefined) found.set(instance.InstanceId, { value: instance });
      }
      // EC2 names those that it does not know: one that is only missing was lost on the way.
      for (const id of some) if (!found.has(id)) found.set(id, { error: missing(call, id) });
    },
    badIn: (error) => (UNKNOWN_ID.test(nativeCodeOf(error)) ? idsIn(error) : null),
    onBad: (id) => found.set(id, { value: null }),
  });
  return found;
}

async function terminateAll(
  client: AwsClient,
  call: Call,
  region: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Outcome<"accepted" | "unknown">>> {
  const ended = new Map<string, Outcome<"accepted" | "unknown">>();
  const unended: string[] = [];
  const work: Parameters<typeof withoutBadIds>[1] = {
    ask: async (some) => {
      const answer = await client.send(
        call,
        region,
        "TerminateInstances",
        { InstanceIds: [...some] },
        { instances: some.length },
      );
      const ending = new Set(
        (answer.TerminatingInstances ?? []).flatMap(({ InstanceId, CurrentState }) =>
          ENDING.has(CurrentState?.Name ?? "") ? [InstanceId] : [],
        ),
      );
      const [ends, others] = [some.filter((id) => ending.has(id)), some.filter((id) => !ending.has(id))];
      for (const id of ends) ended.set(id, { value: "accepted" });
      if (some.length > 1) unended.push(...others);
      else for (const id of others) ended.set(id, { error: untold(call, id) });
    },
    badIn: (error) => {
      const code = nativeCodeOf(error);
      return UNKNOWN_ID.test(code) || code === "OperationNotPermitted" ? idsIn(error) : null;
    },
    // A protected instance is told so; one that EC2 does not know is the caller's to judge.
    onBad: (id, error) => ended.set(id, UNKNOWN_ID.test(nativeCodeOf(error)) ? { value: "unknown" } : { error }),
  };
  await withoutBadIds(ids, work);
  // Whoever EC2 names in a state that does not end, or not at all, is asked for alone. That is another write: what the
  // first one came to for the others stays true, whatever becomes of this one.
  for (const id of unended.splice(0)) {
    try {
      await afterRefusal(call, `EC2 did not say that ${id} ends`, () => withoutBadIds([id], work));
    } catch (error) {
      ended.set(id, { error });
    }
  }
  return ended;
}

function idsIn(error: unknown): readonly string[] {
  if (!isProviderError(error)) return [];
  const whole = error.cause instanceof Error ? error.cause.message : error.message;
  return whole.match(INSTANCE_ID) ?? [];
}

function missing(call: Call, id: string): Error {
  return refusal("INTERNAL", call.operation, `EC2 answered without ${id}, which was asked for`);
}

function untold(call: Call, id: string): Error {
  return refusal("INTERNAL", call.operation, `EC2 accepted the end of ${id}, and does not say that it ends`, {
    effect: "unknown",
  });
}

const ROUNDS = 3;

/**
 * Asks for many ids where one that is refused fails all: those that the refusal names are settled and the rest is asked
 * again, a few times; then halves, so that the others never pay for a refusal that names nobody.
 */
export async function withoutBadIds(
  ids: readonly string[],
  work: {
    readonly ask: (ids: readonly string[]) => Promise<void>;
    /** The ids that a refusal is about; null if it is about something else, and fails all. */
    readonly badIn: (error: unknown) => readonly string[] | null;
    readonly onBad: (id: string, error: unknown) => void;
  },
): Promise<void> {
  let rest = ids;
  for (let round = 0; round < ROUNDS && rest.length > 0; round += 1) {
    const error = await refusalOf(work.ask, rest);
    if (error === null) return;
    const named = work.badIn(error.thrown);
    if (named === null) throw error.thrown;
    const bad = rest.length === 1 ? rest : rest.filter((id) => named.includes(id));
    if (bad.length === 0) break;
    for (const id of bad) work.onBad(id, error.thrown);
    rest = rest.filter((id) => !bad.includes(id));
  }
  if (rest.length === 0) return;
  const middle = Math.ceil(rest.length / 2);
  await withoutBadIds(rest.slice(0, middle), work);
  await withoutBadIds(rest.slice(middle), work);
}

async function refusalOf(
  ask: (ids: readonly string[]) => Promise<void>,
  ids: readonly string[],
): Promise<{ readonly thrown: unknown } | null> {
  try {
    await ask(ids);
    return null;
  } catch (thrown) {
    return { thrown };
  }
}
