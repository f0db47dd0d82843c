import { type Clock, guardedListener, type Pacing, type RuntimeEvent, systemClock, timestamp } from "@slipway/core";
import { Bucket } from "./bucket.ts";
import { Queue, type Waiter } from "./queue.ts";

/** Whether each account has the budget for itself, or all accounts together have it, as where the remote counts by address. */
export type Share = "account" | "everyone";

/** One published limit of a remote. */
export interface BucketLimit {
  /** Which operations draw from it: names, `*` for any part of a name, or a list. */
  readonly operation: OperationPattern;
  /** How many calls may go at once after a pause; at least 1. */
  readonly capacity: number;
  /** For example 1, or `1 / 12` for one call in twelve seconds. */
  readonly refillPerSecond: number;
  readonly share?: Share | undefined;
}

export interface LimitsOptions {
  readonly buckets: readonly BucketLimit[];
  readonly clock?: Clock | undefined;
  /** For the buckets that do not say; `account` if absent. */
  readonly share?: Share | undefined;
  /** Gets a `wait` event for each call that has to wait. */
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
  /** The provider's name in those events. */
  readonly provider?: string | undefined;
}

// The longest sleep at a time; timers of JavaScript hold no more than 24 days.
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * Paces calls by token buckets. A call draws from every bucket that its operation matches, all at once or not at all;
 * an operation that none matches is not held back, except by `defer`. Who came first goes first: a later call passes an
 * earlier one only while that one waits for a bucket that the later one does not need.
 *
 * `acquire` rejects with the signal's reason as soon as it aborts, and the place in the queue is free. It rejects with a
 * RangeError for a cost that is above a bucket's capacity, since waiting would never help. `defer` halts every bucket that
 * the operation draws from, and so everyone who shares one of them.
 *
 * A call goes at the first whole millisecond of the clock at which the limits allow it, never sooner. What a full bucket
 * would have gained in the rest of that millisecond is lost, which shows only at a capacity of 1 and many calls a second.
 *
 * Hand the same object to several providers and they share the budgets.
 */
export function limits(options: LimitsOptions): Pacing {
  const { clock = systemClock, share = "account", provider = "limits" } = options;
  for (const limit of options.buckets) checkLimit(limit);
  const onEvent = options.onEvent === undefined ? undefined : guardedListener(options.onEvent);
  const now = forwardOnly(clock);
  const buckets = new Map<string, Bucket>();
  const queue = new Queue();
  let alarm: AbortController | undefined;

  const bucketsOf = (account: string, operation: string): readonly Bucket[] => {
    const drawn: Bucket[] = [];
    for (const [at, limit] of options.buckets.entries()) {
      if (!matches(limit.operation, operation)) continue;
      const whose = (limit.share ?? share) === "account" ? account : null;
      drawn.push(kept(JSON.stringify([at, whose]), limit.capacity, limit.refillPerSecond));
    }
    // A bucket without a limit, so that `defer` halts an operation that nobody limits as well.
    if (drawn.length === 0) drawn.push(kept(JSON.stringify([account, operation]), Number.POSITIVE_INFINITY, 0));
    return drawn;
  };
  const kept = (id: string, capacity: number, refillPerSecond: number): Bucket => {
    const bucket = buckets.get(id) ?? new Bucket(capacity, refillPerSecond, now());
    buckets.set(id, bucket);
    return bucket;
  };

  const serve = (): void => {
    alarm?.abort();
    alarm = undefined;
    const next = queue.serve(now());
    if (next === null) return;
    const set = new AbortController();
    alarm = set;
    const ms = Math.min(LONGEST_SLEEP_MS, Math.max(1, wholeMs(next - now())));
    clock.sleep(ms, set.signal).then(serve, () => undefined);
  };

  const tell = (waiter: Waiter, operation: string): void => {
    if (onEvent === undefined || waiter.served) return;
    const { ms, halted } = queue.shortestWait(waiter, now());
    onEvent({
      type: "wait",
      at: timestamp(clock),
      provider,
      reason: halted ? "retry-after" : "pacing",
      operation,
      ms: wholeMs(ms),
    });
  };

  return {
    acquire: async ({ account, operation }, { cost = 1, signal } = {}) => {
      const drawn = bucketsOf(account, operation);
      checkCost(cost, drawn, operation);
      await new Promise<void>((resolve, reject) => {
        if (signal?.aborted === true) return reject(reasonOf(signal));
        const onAbort = (): void => {
          queue.remove(waiter);
          reject(signal === undefined ? undefined : reasonOf(signal));
          serve();
        };
        const waiter: Waiter = {
          buckets: drawn,
          cost,
          served: false,
          grant: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
          tell: () => tell(waiter, operation),
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        queue.add(waiter);
        serve();
        waiter.tell();
      });
    },
    defer: ({ account, operation }, retryAfterMs) => {
      if (!Number.isFinite(retryAfterMs) || retryAfterMs <= 0) return;
      const until = now() + retryAfterMs;
      const halted = new Set(bucketsOf(account, operation).filter((bucket) => bucket.halt(until)));
      if (halted.size === 0) return;
      serve();
      for (const waiter of queue.waiting()) if (waiter.buckets.some((bucket) => halted.has(bucket))) waiter.tell();
    },
  };
}

// Rounded up, since a timer of whole milliseconds would otherwise ring too early; but not for the rest of a division.
function wholeMs(ms: number): number {
  return Math.ceil(ms - 1e-6);
}

function checkLimit({ operation, capacity, refillPerSecond }: BucketLimit): void {
  if (Number.isFinite(capacity) && capacity >= 1 && Number.isFinite(refillPerSecond) && refillPerSecond > 0) return;
  const which = Array.isArray(operation) ? operation.join(", ") : String(operation);
  throw new RangeError(`the bucket ${which} needs a capacity of at least 1 and a refillPerSecond above 0`);
}

function checkCost(cost: number, drawn: readonly Bucket[], operation: string): void {
  const smallest = Math.min(...drawn.map((bucket) => bucket.capacity));
  if (cost > 0 && cost <= smallest) return;
  throw new RangeError(`${operation} at a cost of ${cost} never fits a bucket of ${smallest}`);
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new DOMException("This operation was aborted", "AbortError");
}

/**
 * Milliseconds that have passed since the first reading, by a clock that may be set back: such a step counts as no time,
 * where it would otherwise stop every bucket until the old time has come again.
 */
function forwardOnly(clock: Clock): () => number {
  let last = clock.now();
  let passed = 0;
  return () => {
    const present = clock.now();
    passed += Math.max(0, present - last);
    last = present;
    return passed;
  };
}

/** Names of operations: one or a list; `*` stands for any part of a name. */
type OperationPattern = string | readonly string[];

function matches(pattern: OperationPattern, operation: string): boolean {
  return typeof pattern === "string"
    ? matchesOne(pattern, operation)
    : pattern.some((one) => matchesOne(one, operation));
}

function matchesOne(pattern: string, operation: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  const tail = parts.pop();
  if (tail === undefined) return operation === head;
  if (operation.length < head.length + tail.length || !operation.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = operation.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return operation.length - tail.length >= at && operation.endsWith(tail);
}
