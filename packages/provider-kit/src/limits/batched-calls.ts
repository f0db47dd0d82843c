import { abortError, type ErrorEffect, type Operation, type Pacing } from "@slipway/core";

interface Call {
  readonly operation: Operation;
  readonly signal?: AbortSignal | undefined;
}

/** How calls about single ids become one request. */
export interface Batching<R> {
  /** Which budget a request draws on. */
  readonly bucket: string;
  /** The request about one id. */
  readonly alone: (call: Call, id: string) => Promise<R>;
  /** One request about several, whose turn has come. An id that is missing in the answer is asked for alone. */
  readonly together: (call: Call, ids: readonly string[]) => Promise<ReadonlyMap<string, R>>;
  /** What a caller that leaves after the request was sent has done. */
  readonly effect: ErrorEffect;
  /** How many ids one request takes; any number if absent. */
  readonly most?: number | undefined;
}

export interface BatchedCalls {
  /** For the client that sends the requests: one whose turn has come already does not wait again. A further try does. */
  readonly pacing: Pacing;
  readonly batched: <R>(batching: Batching<R>) => (call: Call, id: string) => Promise<R>;
}

interface Batch<R> {
  readonly ids: Map<string, number>;
  readonly controller: AbortController;
  isSent: boolean;
  answer: Promise<ReadonlyMap<string, R>>;
}

/**
 * Calls that wait for their turn in the budget share one request; a lone call is as before. A caller that aborts leaves
 * the others alone; when nobody waits any more, the request is not sent, or is aborted.
 *
 * @example
 * ```ts
 * const { pacing, batched } = batchedCalls(limits(buckets), { provider: "example", account });
 * const http = httpClient({ ...options, limits: pacing });
 * const get = batched({ bucket: "get", alone: readOne, together: readAll, effect: "none" });
 * ```
 */
export function batchedCalls(
  limits: Pacing,
  { provider, account }: { readonly provider: string; readonly account: string },
): BatchedCalls {
  // Requests whose turn has come before they were made, by their signals.
  const due = new WeakSet<AbortSignal>();
  const turn = async (operation: string, signal: AbortSignal): Promise<void> => {
    await limits.acquire({ account, operation }, { signal });
    due.add(signal);
  };
  return {
    pacing: {
      acquire: async (bucket, options) => {
        if (options?.signal !== undefined && due.delete(options.signal)) return;
        await limits.acquire(bucket, options);
      },
      defer: (bucket, ms) => limits.defer(bucket, ms),
    },
    batched: (batching) => batchesOf(batching, provider, turn),
  };
}

function batchesOf<R>(
  { bucket, alone, together, effect: sentEffect, most = Number.POSITIVE_INFINITY }: Batching<R>,
  provider: string,
  turn: (bucket: string, signal: AbortSignal) => Promise<void>,
): (call: Call, id: string) => Promise<R> {
  const open = new Map<string, Batch<R>>();
  const close = (operation: string, batch: Batch<R>): void => {
    if (open.get(operation) === batch) open.delete(operation);
  };

  const send = async ({ operation }: Call, batch: Batch<R>): Promise<ReadonlyMap<string, R>> => {
    const { signal } = batch.controller;
    try {
      await turn(bucket, signal);
    } finally {
      close(operation, batch);
    }
    batch.isSent = true;
    const call = { operation, signal };
    const [id = "", ...others] = batch.ids.keys();
    return others.length === 0 ? new Map([[id, await alone(call, id)]]) : await together(call, [id, ...others]);
  };

  const join = (call: Call, id: string): Batch<R> => {
    const standing = open.get(call.operation);
    if (standing !== undefined && (standing.ids.size < most || standing.ids.has(id))) return standing;
    const controller = new AbortController();
    const batch: Batch<R> = { ids: new Map(), controller, isSent: false, answer: Promise.resolve(new Map()) };
    open.set(call.operation, batch);
    batch.answer = send(call, batch);
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
      signal === undefined ? new Error("no signal") : abortError(signal, { provider, operation, effect });
    if (signal?.aborted === true) throw cancelled("none");
    const batch = join(call, id);
    batch.ids.set(id, (batch.ids.get(id) ?? 0) + 1);
    const answer = await new Promise<ReadonlyMap<string, R>>((resolve, reject) => {
      const onAbort = (): void => {
        const { isSent } = batch;
        leave(operation, batch, id);
        reject(cancelled(isSent ? sentEffect : "none"));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      batch.answer.finally(() => signal?.removeEventListener("abort", onAbort)).then(resolve, reject);
    });
    const own = answer.get(id);
    return own === undefined ? await alone(call, id) : own;
  };
}
