import { abortError, type Clock, type RuntimeEvent, timestamp } from "@slipway/core";
import type { Call } from "./call.ts";
import { PROVIDER } from "./errors.ts";

/** What became of one id of a batch. */
export type Outcome<R> = { readonly value: R } | { readonly error: unknown };

export interface BatchingOptions<R> {
  /** The most ids of one batch. */
  readonly most: number;
  /** How long one may wait while an earlier batch is under way, milliseconds on the clock. */
  readonly longestWaitMs: number;
  /** Is a caller who aborts on its way left in the dark? True for writes. */
  readonly writes: boolean;
  readonly clock: Clock;
  readonly onEvent: (event: RuntimeEvent) => void;
  /** Asks for all of them at once. What it rejects with is everybody's. */
  readonly send: (call: Call, group: string, ids: readonly string[]) => Promise<ReadonlyMap<string, Outcome<R>>>;
}

/** Questions about one id each, sent as questions about many. */
export interface Batching<R> {
  /** Calls of one group and operation are merged. */
  readonly ask: (call: Call, group: string, id: string) => Promise<R>;
}

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

interface Lane<R> {
  readonly operation: string;
  readonly group: string;
  queued: Map<string, Waiter<R>[]>;
  flights: number;
  alarm: AbortController | undefined;
}

/**
 * A question that comes alone is sent at once. Those that come while it is under way wait for each other, until it is
 * answered, a batch is full, or the longest wait is over. Whoever aborts leaves the others alone; a batch that nobody
 * waits for any more is aborted.
 */
export function batching<R>(options: BatchingOptions<R>): Batching<R> {
  const { most, longestWaitMs, writes, clock, onEvent, send } = options;
  const lanes = new Map<string, Lane<R>>();

  const laneOf = ({ operation }: Call, group: string): Lane<R> => {
    const id = `${operation} ${group}`;
    const known = lanes.get(id) ?? { operation, group, queued: new Map(), flights: 0, alarm: undefined };
    lanes.set(id, known);
    return known;
  };

  const flush = (lane: Lane<R>): void => {
    lane.alarm?.abort();
    lane.alarm = undefined;
    while (lane.queued.size > 0) {
      const taken = [...lane.queued].slice(0, most);
      for (const [id] of taken) lane.queued.delete(id);
      void fly(lane, new Map(taken));
    }
    if (lane.flights === 0) lanes.delete(`${lane.operation} ${lane.group}`);
  };

  const fly = async (lane: Lane<R>, passengers: ReadonlyMap<string, readonly Waiter<R>[]>): Promise<void> => {
    const waiters = [...passengers.values()].flat();
    const flight: Flight = { controller: new AbortController(), waiting: waiters.length };
    for (const waiter of waiters) waiter.flight = flight;
    lane.flights += 1;
    const { operation, group } = lane;
    onEvent({ type: "batch.sent", at: timestamp(clock), provider: PROVIDER, operation, size: passengers.size });
    try {
      const outcomes = await send({ operation, signal: flight.controller.signal }, group, [...passengers.keys()]);
      for (const [id, all] of passengers) settle(all, outcomes.get(id) ?? { error: unanswered(id) });
    } catch (error) {
      settle(waiters, { error });
    } finally {
      lane.flights -= 1;
      if (lane.flights === 0) flush(lane);
    }
  };

  const setAlarm = (lane: Lane<R>): void => {
    if (lane.alarm !== undefined) return;
    const alarm = new AbortController();
    lane.alarm = alarm;
    clock.sleep(longestWaitMs, alarm.signal).then(
      () => flush(lane),
      // Flushed before its time.
      () => undefined,
    );
  };

  const leave = (lane: Lane<R>, id: string, waiter: Waiter<R>, signal: AbortSignal): void => {
    if (waiter.gone) return;
    waiter.gone = true;
    const { flight } = waiter;
    const effect = flight !== undefined && writes ? "unknown" : "none";
    waiter.reject(abortError(signal, { provider: PROVIDER, operation: lane.operation, effect }));
    if (flight === undefined) {
      const left = (lane.queued.get(id) ?? []).filter((one) => one !== waiter);
      if (left.length > 0) lane.queued.set(id, left);
      else lane.queued.delete(id);
      return;
    }
    flight.waiting -= 1;
    if (flight.waiting === 0) flight.controller.abort(signal.reason);
  };

  return {
    ask: (call, group, id) =>
      new Promise<R>((resolve, reject) => {
        const { signal } = call;
        const lane = laneOf(call, group);
        const onAbort = (): void => {
          if (signal !== undefined) leave(lane, id, waiter, signal);
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
        lane.queued.set(id, [...(lane.queued.get(id) ?? []), waiter]);
        if (lane.flights === 0 || lane.queued.size >= most) flush(lane);
        else setAlarm(lane);
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
