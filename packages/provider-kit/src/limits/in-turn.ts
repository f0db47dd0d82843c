import { abortError, type Operation } from "@slipway/core";

/** Runs works under one name one after the other. Who aborts while waiting gives the place up, with nothing done. */
export type InTurn = <T>(
  name: string,
  call: { readonly operation: Operation; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
) => Promise<T>;

/**
 * A queue for each name, in this process: so that two spawns of one key, or two ends of one instance, do not read the same
 * state and then both act on it. Other processes are not held back; that is a store's business, or the remote's.
 */
export function inTurn(provider: string): InTurn {
  const tails = new Map<string, Promise<unknown>>();
  return (name, { operation, signal }, work) =>
    new Promise((resolve, reject) => {
      const gaveUp = (): void => {
        // It is called by the signal alone.
        if (signal !== undefined) reject(abortError(signal, { provider, operation, effect: "none" }));
      };
      const mine = (tails.get(name) ?? Promise.resolve()).then(() => {
        // Once the turn has come the work itself minds the signal; before that nobody would.
        signal?.removeEventListener("abort", gaveUp);
        if (signal?.aborted === true) return gaveUp();
        return work().then(resolve, reject);
      });
      tails.set(name, mine);
      void mine.then(() => {
        if (tails.get(name) === mine) tails.delete(name);
      });
      if (signal?.aborted === true) gaveUp();
      else signal?.addEventListener("abort", gaveUp, { once: true });
    });
}
