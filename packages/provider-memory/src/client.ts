import {
  abortError,
  type Clock,
  guardedListener,
  isProviderError,
  type Pacing,
  type Runtime,
  timestamp,
} from "@slipway/core";
import { type MemoryContext, PROVIDER } from "./context.ts";
import { answerError, type CallPlace, garbledError, transportError } from "./errors.ts";
import type { WireAnswer } from "./world/endpoint.ts";
import { OPERATIONS, type WireBodies, type WireOperation } from "./world/operations.ts";
import type { MemoryWorld } from "./world/world.ts";

export interface MemoryOptions {
  /** Whose instances these are: `[a-z0-9-]{1,63}`. */
  readonly owner: string;
  /** The remote. A new one with default settings if absent; share one, and providers see each other's instances. */
  readonly world?: MemoryWorld | undefined;
  /** Where instances may be; the first is the default. All of the world's if absent. */
  readonly regions?: readonly string[] | undefined;
  readonly apiKey?: string | undefined;
  /** The clock is the world's if absent. */
  readonly runtime?: Partial<Runtime> | undefined;
}

/** What reads an answer; a zod schema is one. */
export interface Reader<T> {
  readonly parse: (body: unknown) => T;
}

/** One call of the contract: all its requests carry its name and end with its signal. */
export interface Call {
  readonly operation: string;
  readonly signal?: AbortSignal | undefined;
}

export interface RequestOptions {
  /** It only helps another request of the same call: faults and throttling by the contract's method are not for it. */
  readonly helper?: true;
  /** An earlier request of the call has changed something, which is true whatever comes now. */
  readonly changed?: boolean;
}

/** The only thing that speaks over the wire. */
export interface MemoryClient {
  readonly provider: string;
  readonly send: <O extends WireOperation, T>(
    call: Call,
    operation: O,
    region: string,
    body: WireBodies[O],
    reader: Reader<T>,
    options?: RequestOptions,
  ) => Promise<T>;
  /** All pages of a listing, or it throws. */
  readonly sendAll: <O extends "machines.list" | "disks.list" | "captures.list", T>(
    call: Call,
    operation: O,
    region: string,
    owner: string | null,
    reader: Reader<{ readonly items: readonly T[]; readonly next: string | null }>,
    options?: RequestOptions,
  ) => Promise<readonly T[]>;
}

export interface ClientOptions {
  readonly provider: string;
  readonly world: MemoryWorld;
  readonly apiKey: string | undefined;
  readonly runtime: Partial<Runtime>;
}

function memoryClient({ provider, world, apiKey, runtime }: ClientOptions): MemoryClient {
  const send: MemoryClient["send"] = async (call, operation, region, body, reader, options = {}) => {
    const { writes } = OPERATIONS[operation];
    const place: CallPlace = { provider, ...call, writes, changed: options.changed };
    const purpose = options.helper === true ? null : call.operation;
    const bucket = { account: "memory", operation: call.operation };
    await paced(runtime, world.clock, bucket, place);
    let answer: WireAnswer;
    try {
      answer = await world.transport({ operation, region, body, apiKey: apiKey ?? null, purpose, signal: call.signal });
    } catch (error) {
      throw transportError(error, place);
    }
    if (answer.error !== undefined) {
      const failure = answerError(answer.error, answer.status, place);
      if (failure.retryAfterMs !== undefined) runtime.limits?.defer(bucket, failure.retryAfterMs);
      throw failure;
    }
    try {
      return reader.parse(answer.body);
    } catch (cause) {
      throw garbledError(place, cause);
    }
  };
  return {
    provider,
    send,
    sendAll: async (call, operation, region, owner, reader, options) => {
      const first = await send(call, operation, region, { owner, after: null }, reader, options);
      const items = [...first.items];
      for (let after = first.next; after !== null; ) {
        const page = await send(call, operation, region, { owner, after }, reader, { helper: true });
        items.push(...page.items);
        after = page.next;
      }
      return items;
    },
  };
}

async function paced(
  { limits, onEvent, ...runtime }: Partial<Runtime>,
  worldClock: Clock,
  bucket: Parameters<Pacing["acquire"]>[0],
  place: CallPlace,
): Promise<void> {
  if (limits === undefined) return;
  const clock = runtime.clock ?? worldClock;
  const begun = clock.now();
  try {
    await limits.acquire(bucket, { signal: place.signal });
  } catch (error) {
    if (isProviderError(error) || place.signal?.aborted !== true) throw error;
    throw abortError(place.signal, { ...place, effect: place.changed === true ? "applied" : "none" });
  }
  const ms = clock.now() - begun;
  if (ms === 0 || onEvent === undefined) return;
  const { provider, operation } = place;
  guardedListener(onEvent)({ type: "wait", reason: "pacing", at: timestamp(clock), provider, operation, ms });
}

/** What provider, hooks and clusters have in common. */
export function contextOf(options: MemoryOptions, world: MemoryWorld): MemoryContext {
  const { owner, apiKey, runtime = {} } = options;
  const [first, ...others] = options.regions ?? world.settings.regions.map((region) => region.id);
  if (first === undefined) throw new TypeError("memory: regions must name at least one");
  return {
    owner,
    regions: [first, ...others],
    maxUserDataBytes: world.settings.userDataMax,
    clock: runtime.clock ?? world.clock,
    client: memoryClient({ provider: PROVIDER, world, apiKey, runtime }),
  };
}
