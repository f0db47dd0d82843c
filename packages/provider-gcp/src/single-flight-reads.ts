import { abortError, isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { addressOf, type GcpRemote, PROVIDER } from "./remote.ts";
import type { WireInstance } from "./wire.ts";

// Names in one filter.
export const LONGEST_FILTER = 20;

interface Waiting {
  readonly call: Call;
  readonly name: string;
  readonly number: string;
  readonly answer: (found: WireInstance | undefined) => void;
  readonly fail: (error: unknown) => void;
}

export function byNames(names: readonly string[]): string {
  return names.map((name) => `(name = "${name}")`).join(" OR ");
}

/**
 * Reads of single instances for whoever ends many at once: the first goes by itself, and those that come meanwhile are read
 * together by their names. Such a listing may lag; what it does not show is read by itself.
 */
export function singleFlightReads(
  remote: GcpRemote,
  read: (call: Call, id: string) => Promise<WireInstance | null>,
): (call: Call, id: string) => Promise<WireInstance | null> {
  const waiting: Waiting[] = [];
  let isBusy = false;

  async function readAll(): Promise<void> {
    for (;;) {
      const batch = waiting.splice(0, LONGEST_FILTER);
      const [first] = batch;
      if (first === undefined) break;
      const found = new Map<string, WireInstance>();
      try {
        // Of nobody's signal: the others go on waiting where one is aborted.
        const call = { operation: first.call.operation };
        for await (const page of remote.client.list(call, byNames(batch.map(({ name }) => name)), remote.zones)) {
          for (const machine of page) found.set(machine.id, machine);
        }
        for (const { number, answer } of batch) answer(found.get(number));
      } catch (error) {
        // A zone that is out of order says nothing of instances elsewhere: who was not found is read by itself.
        const isOfPlace = isProviderError(error) && (error.scope === "region" || error.code === "TIMEOUT");
        for (const { number, answer, fail } of batch) {
          if (isOfPlace) answer(found.get(number));
          else fail(error);
        }
      }
    }
    isBusy = false;
  }

  return async (call, id) => {
    const address = addressOf(id);
    if (address === null || address.project !== remote.project) return await read(call, id);
    if (!isBusy) {
      isBusy = true;
      try {
        return await read(call, id);
      } finally {
        void readAll();
      }
    }
    return (await joined(waiting, call, address)) ?? (await read(call, id));
  };
}

function joined(
  waiting: Waiting[],
  call: Call,
  { name, number }: { readonly name: string; readonly number: string },
): Promise<WireInstance | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<WireInstance | undefined>();
  const { signal, operation } = call;
  if (signal === undefined) {
    waiting.push({ call, name, number, answer: resolve, fail: reject });
    return promise;
  }
  const onAbort = (): void => reject(abortError(signal, { provider: PROVIDER, operation, effect: "none" }));
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  waiting.push({ call, name, number, answer: resolve, fail: reject });
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}
