import { abortError, type Clock, type RuntimeEvent, timestamp } from "@slipway/core";
import { type Call, PROVIDER } from "./call.ts";

/** What became of one id of a batch. */
export type Outcome<R> = { readonly value: R } | { readonly error: unknown };

export interface BatchingOptions<R> {
  /** The most ids of one batch. */
  readonly most: number;
  /** Is a caller who aborts on its way left in the dark? True for writes. */
  readonly writes: boolean;
  readonly clock: Clock;
  readonly onEvent: (event: RuntimeEvent) => void;
  /** Are others known to be on their way to this group? Then also the first one waits for them. */
  readonly expectsMore?: ((call: Call, group: string) => boolean) | undefined;
  /** Asks for all of them at once. What it rejects with is everybody's. */
  readonly send: (call: Call, group: string, ids: readonly string[]) => Promise<ReadonlyMap<string, Outcome<R>>>;
}

/** Questions about one id each, sent as questions about many. */
export interface Batching<R> {
  /** Calls of one group and operation are merged. */
  readonly ask: (call: Call, group: string, id: string) => Promise<R>;
  /** Does anybody wait for an answer of this group and operation? */
  readonly isWaiting: (call: Call, group: string) => boolean;
}

// A batch is sent once nobody has come for so long, and never later than so long after its first.
const IDLE_MS = 100;
const LONGEST_WAIT_MS = 1_000;
// So many ids that are asked for within such a time are traffic: whoever polls asks again every two seconds.
const TRAFFIC = 5;
const TRAFFIC_WITHIN_MS = 3_000;
// What comes so shortly after something else belongs to it.
const AT_ONCE_MS = 5;

/** Somebody who waits for one id. */
interface Waiter<R> {
  readonly resolve: (value: R) => void;
  readonly reject: (error: unknown) => void;
  gone: boolean;
  flight: Flight | undefined;
}

interface Flight {
  readonly controller: AbortController;
  waiting: number;
}

/** The questions of one group and operation. */
class Queue<R> {
  readonly operation: string;
  readonly group: string;
  readonly queued = new Map<string, Waiter<R>[]>();
  flights = 0;
  alarm: AbortController | undefined;
  firstAt = 0;
  lastAt = Number.NEGATIVE_INFINITY;
  sentAt = Number.NEGATIVE_INFINITY;
  /** When somebody who had asked alone was answered. */
  #aloneUntil = Number.NEGATIVE_INFINITY;
  /** When each id was asked for, the oldest first. */
  readonly #asked = new Map<string, number>();

  constructor(operation: string, group: string) {
    this.operation = operation;
    this.group = group;
  }

  /** Is somebody else about, for whom it is worth to wait? */
  arrive(id: string, now: number): "alone" | "in-traffic" {
    // Whoever asks as soon as its own answer is there asks one thing after the other: a wait would only slow it down.
    const goesOn = this.flights === 0 && this.queued.size === 0 && now - this.#aloneUntil <= AT_ONCE_MS;
    for (const [asked, at] of this.#asked) {
      if (now - at < TRAFFIC_WITHIN_MS) break;
      this.#asked.delete(asked);
    }
    this.lastAt = now;
    if (this.queued.size === 0) this.firstAt = now;
    if (goesOn) return "alone";
    this.#asked.delete(id);
    this.#asked.set(id, now);
    return this.flights > 0 || this.queued.size > 0 || this.#asked.size >= TRAFFIC ? "in-traffic" : "alone";
  }

  answered(waiters: number, now: number): void {
    this.flights -= 1;
    if (waiters === 1) this.#aloneUntil = now;
  }

  /** Did all that waits come at the same time as what was just answered? */
  get isBurst(): boolean {
    return this.flights === 0 && this.queued.size > 0 && this.lastAt - this.sentAt <= AT_ONCE_MS;
  }

  /** Of many who poll, the others are waited for as long as most are missing. */
  get dueAt(): number {
    const latest = this.firstAt + LONGEST_WAIT_MS;
    return this.queued.size * 2 < this.#asked.size ? latest : Math.min(this.lastAt + IDLE_MS, latest);
  }
}

/**
 * A question that comes alone is sent at once. Those that come while others are asked wait for each other: what came at
 * the same time until the first is answered, others until nobody has come for a while. Whoever aborts leaves the others
 * alone; a batch that nobody waits for any more is aborted.
 */
export function batching<R>(options: BatchingOptions<R>): Batching<R> {
  const { most, writes, clock, onEvent, expectsMore, send } = options;
  const queues = new Map<string, Queue<R>>();

  const nameOf = ({ operation }: Call, group: string): string => `${operation} ${group}`;

  const queueOf = (call: Call, group: string): Queue<R> => {
    const name = nameOf(call, group);
    const known = queues.get(name) ?? new Queue<R>(call.operation, group);
    queues.set(name, known);
    return known;
  };

  const flush = (queue: Queue<R>): void => {
    queue.alarm?.abort();
    queue.alarm = undefined;
    while (queue.queued.size > 0) {
      const taken = [...queue.queued].slice(0, most);
      for (const [id] of taken) queue.queued.delete(id);
      void fly(queue, new Map(taken));
    }
  };

  const fly = async (queue: Queue<R>, passengers: ReadonlyMap<string, readonly Waiter<R>[]>): Promise<void> => {
    const waiters = [...passengers.values()].flat();
    const flight: Flight = { controller: new AbortController(), waiting: waiters.length };
    for (const waiter of waiters) waiter.flight = flight;
    queue.flights += 1;
    queue.sentAt = clock.now();
    const { operation, group } = queue;
    onEvent({ type: "batch.sent", at: timestamp(clock), provider: PROVIDER, operation, size: passengers.size });
    try {
      const outcomes = await send({ operation, signal: flight.controller.signal }, group, [...passengers.keys()]);
      for (const [id, all] of passengers) settle(all, outcomes.get(id) ?? { error: unanswered(id) });
    } catch (error) {
      settle(waiters, { error });
    } finally {
      queue.answered(waiters.length, clock.now());
      if (queue.isBurst) flush(queue);
    }
  };

  const setAlarm = (queue: Queue<R>): void => {
    if (queue.alarm !== undefined) return;
    const alarm = new AbortController();
    queue.alarm = alarm;
    const wait = async (): Promise<void> => {
      // Whoever comes meanwhile may bring the end nearer, and may put it off.
      while (queue.dueAt > clock.now()) {
        await clock.sleep(Math.min(IDLE_MS, queue.dueAt - clock.now()), alarm.signal);
      }
      flush(queue);
    };
    // Flushed before its time.
    wait().catch(() => undefined);
  };

  const leave = (queue: Queue<R>, id: string, waiter: Waiter<R>, signal: AbortSignal): void => {
    if (waiter.gone) return;
    waiter.gone = true;
    const { flight } = waiter;
    const effect = flight !== undefined && writes ? "unknown" : "none";
    waiter.reject(abortError(signal, { provider: PROVIDER, operation: queue.operation, effect }));
    if (flight === undefined) {
      const left = (queue.queued.get(id) ?? []).filter((one) => one !== waiter);
      if (left.length > 0) queue.queued.set(id, left);
      else queue.queued.delete(id);
      return;
    }
    flight.waiting -= 1;
    if (flight.waiting === 0) flight.controller.abort(signal.reason);
  };

  return {
    isWaiting: (call, group) => {
      const queue = queues.get(nameOf(call, group));
      return queue !== undefined && (queue.flights > 0 || queue.queued.size > 0);
    },
    ask: (call, group, id) =>
      new Promise<R>((resolve, reject) => {
        const { signal } = call;
        const queue = queueOf(call, group);
        const onAbort = (): void => {
          if (signal !== undefined) leave(queue, id, waiter, signal);
        };
        const done = (): void => signal?.removeEventListener("abort", onAbort);
        const waiter: Waiter<R> = {
          gone: false,
          flight: undefined,
          resolve: (value) => {
            done();
            resolve(value);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        };
        if (signal?.aborted === true) return onAbort();
        signal?.addEventListener("abort", onAbort, { once: true });
        const how = queue.arrive(id, clock.now());
        queue.queued.set(id, [...(queue.queued.get(id) ?? []), waiter]);
        const goes = how === "alone" && expectsMore?.(call, group) !== true;
        if (goes || queue.queued.size >= most) flush(queue);
        else setAlarm(queue);
      }),
  };
}

function settle<R>(waiters: readonly Waiter<R>[], outcome: Outcome<R>): void {
  for (const waiter of waiters) {
    if (waiter.gone) continue;
    waiter.gone = true;
    if ("error" in outcome) waiter.reject(outcome.error);
    else waiter.resolve(outcome.value);
  }
}

function unanswered(id: string): Error {
  return new Error(`a batch was answered without ${id}`);
}
