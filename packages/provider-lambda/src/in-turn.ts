import { abortError, type Operation } from "@slipway/core";
import { PROVIDER } from "./errors.ts";

/** Runs works under one name one after the other. Who aborts while waiting gives the place up, with nothing done. */
export type InTurn = <T>(
  name: string,
  call: { readonly operation: Operation; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
) => Promise<T>;

export function inTurn(): InTurn {
  const tails = new Map<string, Promise<unknown>>();
  return async (name, call, work) => {
    const before = tails.get(name) ?? Promise.resolve();
    const mine = before.then(() => {
      if (call.signal?.aborted === true) throw cancelled(call.signal, call.operation);
      return work();
    });
    const tail = mine.catch(() => undefined);
    tails.set(name, tail);
    void tail.then(() => {
      if (tails.get(name) === tail) tails.delete(name);
    });
    return await leaving(before, call, mine);
  };
}

/** Once the turn has come the work itself minds the signal; before that nobody would. */
function leaving<T>(
  before: Promise<unknown>,
  { operation, signal }: { readonly operation: Operation; readonly signal?: AbortSignal | undefined },
  mine: Promise<T>,
): Promise<T> {
  if (signal === undefined) return mine;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(cancelled(signal, operation));
    signal.addEventListener("abort", onAbort, { once: true });
    void before.then(() => signal.removeEventListener("abort", onAbort));
    mine.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}

function cancelled(signal: AbortSignal, operation: Operation): Error {
  return abortError(signal, { provider: PROVIDER, operation, effect: "none" });
}
