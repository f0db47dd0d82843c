import { abortError, type ErrorEffect } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./remote.ts";

/** How calls about single ids become one request. */
export interface Batching<R> {
  /** Resolves when a request may be sent: until then others join. */
  readonly acquire: (signal: AbortSignal) => Promise<void>;
  /** One request about all of these, whose turn has come. An id that is missing in the answer is asked for alone. */
  readonly send: (
    call: Call & { readonly signal: AbortSignal },
    ids: readonly string[],
  ) => Promise<ReadonlyMap<string, R>>;
  readonly alone: (call: Call, id: string) => Promise<R>;
  /** What a caller that leaves after the request was sent has done. */
  readonly effect: ErrorEffect;
  readonly most: number;
}

interface Batch<R> {
  readonly ids: Map<string, number>;
  readonly controller: AbortController;
  isSent: boolean;
  answer: Promise<ReadonlyMap<string, R>>;
}

/**
 * Calls that wait for their turn in the budget share one request; a lone call is as before. Who aborts leaves the others
 * alone; when nobody waits any more, the request is not sent, or is aborted.
 */
export function batches<R>(batching: Batching<R>): (call: Call, id: string) => Promise<R> {
  const open = new Map<string, Batch<R>>();
  const close = (operation: string, batch: Batch<R>): void => {
    if (open.get(operation) === batch) open.delete(operation);
  };

  const sent = async (call: Call, batch: Batch<R>): Promise<ReadonlyMap<string, R>> => {
    const { signal } = batch.controller;
    try {
      await batching.acquire(signal);
    } finally {
      close(call.operation, batch);
    }
    batch.isSent = true;
    return await batching.send({ ...call, signal }, [...batch.ids.keys()]);
  };

  const joined = (call: Call, id: string): Batch<R> => {
    const standing = open.get(call.operation);
    if (standing !== undefined && (standing.ids.size < batching.most || standing.ids.has(id))) return standing;
    const controller = new AbortController();
    const batch: Batch<R> = { ids: new Map(), controller, isSent: false, answer: Promise.resolve(new Map()) };
    open.set(call.operation, batch);
    batch.answer = sent(call, batch);
    // Everybody may have left before it fails.
    batch.answer.catch(() => undefined);
    return batch;
  };

  const leave = (operation: string, batch: Batch<R>, id: string): void => {
    const others = (batch.ids.get(id) ?? 0) - 1;
    if (others > 0) batch.ids.set(id, others);
    else batch.ids.delete(id);
    if (batch.ids.size > 0) return;
    close(operation, batch);
    batch.controller.abort();
  };

  return async (call, id) => {
    const { operation, signal } = call;
    const cancelled = (effect: ErrorEffect): Error =>
      signal === undefined ? new Error("no signal") : abortError(signal, { provider: PROVIDER, operation, effect });
    if (signal?.aborted === true) throw cancelled("none");
    const batch = joined(call, id);
    batch.ids.set(id, (batch.ids.get(id) ?? 0) + 1);
    const answer = await new Promise<ReadonlyMap<string, R>>((resolve, reject) => {
      const onAbort = (): void => {
        const { isSent } = batch;
        leave(operation, batch, id);
        reject(cancelled(isSent ? batching.effect : "none"));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      batch.answer.finally(() => signal?.removeEventListener("abort", onAbort)).then(resolve, reject);
    });
    const own = answer.get(id);
    return own === undefined ? await batching.alone(call, id) : own;
  };
}
