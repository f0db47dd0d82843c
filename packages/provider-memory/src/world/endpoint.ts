import type { Fault, FaultScript } from "@slipway/provider-kit/emulator";
import { regionOf } from "./catalogue.ts";
import { type Handling, OPERATIONS, type WireBodies, type WireOperation } from "./operations.ts";
import { BREAKS, BrokenConnection, isBreakId, isRefusalId, REFUSALS, Refusal, type RefusalId } from "./refusals.ts";
import type { Remote } from "./remote.ts";

/** One request on the wire. */
export interface WireRequest<O extends WireOperation = WireOperation> {
  readonly operation: O;
  readonly region: string;
  readonly body: WireBodies[O];
  readonly apiKey: string | null;
  /** The contract's method that it serves: faults and throttling are placed by it. Null on a request that only helps another. */
  readonly purpose: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** What the remote answers: a body, or why not. All of it is plain data. */
export interface WireAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly error?: {
    readonly id: string;
    readonly text: string;
    readonly thing?: string;
    readonly retryAfterSeconds?: number;
    /** The remote itself cannot say whether it was done. */
    readonly unclear?: boolean;
  };
}

export type Transport = <O extends WireOperation>(request: WireRequest<O>) => Promise<WireAnswer>;

/** The remote's only door. Rejects with `BrokenConnection` where there is no answer. */
export function endpoint(world: Remote, faults: FaultScript): Transport {
  const buckets = throttle(world);
  return async (request) => {
    await travel(world, world.settings.latencyMs, request.signal, false);
    world.timeline.settle(world.clock.now());
    const fault = faultFor(faults, request);
    if (fault?.stage === "before") return failing(fault);
    const answer = answered(world, buckets, request, fault);
    world.timeline.settle(world.clock.now());
    // What was refused was not done, so there is nothing for a later fault to hide.
    if (fault?.stage === "after" && answer.error === undefined) return failing(fault);
    await travel(world, world.settings.latencyMs + (fault?.delayMs ?? 0), request.signal, true);
    return copied(answer);
  };
}

async function travel(world: Remote, ms: number, signal: AbortSignal | undefined, sent: boolean): Promise<void> {
  if (signal?.aborted === true) throw new BrokenConnection("aborted", sent);
  if (ms === 0) return;
  try {
    await world.clock.sleep(ms, signal);
  } catch {
    throw new BrokenConnection("aborted", sent);
  }
}

function answered<O extends WireOperation>(
  world: Remote,
  buckets: Throttle,
  request: WireRequest<O>,
  fault: PlacedAt | undefined,
): WireAnswer {
  const { operation, region, apiKey } = request;
  try {
    if (world.settings.apiKeys?.includes(apiKey ?? "") === false) throw new Refusal("bad-key");
    buckets.pass(operation, request.purpose);
    const handler = OPERATIONS[operation];
    if (handler.regional) {
      regionOf(world, region);
      if (world.downRegions.has(region)) throw new Refusal("region-down", `region ${region} is down`);
    }
    const at = world.clock.now();
    const late = world.settings.staleReads === "always" || fault?.stage === "stale";
    const on: Handling = { world, region, at, asOf: late ? at - world.settings.readAfterWriteMs : at };
    return { status: 200, body: handler.handle(on, copied(request.body)) };
  } catch (error) {
    if (error instanceof Refusal) return refusalAnswer(error, false);
    throw error;
  }
}

function refusalAnswer(refusal: Refusal, unclear: boolean): WireAnswer {
  const { id, message: text, thing, retryAfterSeconds } = refusal;
  return {
    status: REFUSALS[id].status,
    body: null,
    error: {
      id,
      text,
      ...(thing === undefined ? {} : { thing }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(unclear ? { unclear } : {}),
    },
  };
}

/** Both sides are plain data: nothing is shared but the wire. */
function copied<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

interface PlacedAt {
  readonly stage: "before" | "after" | "late" | "stale";
  readonly row: string | undefined;
  readonly delayMs: number;
}

function faultFor(faults: FaultScript, { operation, purpose }: WireRequest): PlacedAt | undefined {
  const { writes } = OPERATIONS[operation];
  const names = purpose === null ? [operation] : [purpose, operation];
  const fault = faults.take(names, ...(writes ? WRITE_TIMINGS : READ_TIMINGS));
  return fault === undefined ? undefined : placedAt(fault);
}

const WRITE_TIMINGS = ["before", "after", "reply-lost", "delayed"] as const;
const READ_TIMINGS = ["before", "after", "reply-lost", "delayed", "stale-read"] as const;

function placedAt(fault: Fault): PlacedAt {
  if (fault.when === "delayed") return { stage: "late", row: undefined, delayMs: fault.delayMs ?? 60_000 };
  if (fault.when === "stale-read") return { stage: "stale", row: undefined, delayMs: 0 };
  if (fault.when === "reply-lost") return { stage: "after", row: "connection-reset", delayMs: 0 };
  const row = fault.row ?? rowFor(fault.when, fault.code ?? "UNAVAILABLE");
  return { stage: timingOf(row) ?? fault.when, row, delayMs: 0 };
}

/** The first row that stands for the code and can stand there. */
function rowFor(when: "before" | "after", code: string): string {
  const rows = [...Object.entries(REFUSALS), ...Object.entries(BREAKS)];
  const fits = rows.filter(([, entry]) => entry.standsFor === code);
  return (fits.find(([id]) => (timingOf(id) ?? when) === when) ?? fits[0] ?? ["mystery"])[0];
}

function timingOf(row: string): "before" | "after" | undefined {
  if (isBreakId(row)) return BREAKS[row].timing;
  if (!isRefusalId(row)) return undefined;
  return REFUSALS[row].timing;
}

function failing({ row = "mystery", stage }: PlacedAt): WireAnswer {
  if (isBreakId(row)) throw new BrokenConnection(row, BREAKS[row].sent);
  const id: RefusalId = isRefusalId(row) ? row : "mystery";
  if (id === "garbled-answer") return { status: 200, body: "<html>502 Bad Gateway</html>" };
  const retryAfterSeconds = id === "slow-down" ? 1 : undefined;
  const more = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return refusalAnswer(new Refusal(id, undefined, more), stage === "after");
}

/** Counts requests against the buckets of the settings. */
interface Throttle {
  /** Refuses with `slow-down` where a bucket is empty. */
  readonly pass: (operation: string, purpose: string | null) => void;
}

function throttle(world: Remote): Throttle {
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
