import { abortError, type Operation } from "@slipway/core";

interface Flight {
  readonly bucket: string;
  readonly answer: Promise<unknown>;
  readonly controller: AbortController;
  waiting: number;
}

/** Reads that many callers share: one request answers everybody who asked before it was sent. */
export interface SingleFlight {
  /**
   * Joins a read of this bucket and operation that has not been sent yet, or starts one. Who aborts leaves the others
   * alone; when nobody waits any more, the read itself is aborted.
   */
  readonly read: <T>(
    bucket: string,
    call: { readonly operation: Operation; readonly signal?: AbortSignal | undefined },
    start: (signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
  /** The pacing lets a read of this bucket go: who asks from now on needs a newer one. */
  readonly sent: (bucket: string) => void;
}

export function singleFlight(provider: string): SingleFlight {
  const joinable = new Map<string, Flight>();
  const close = (flight: Flight): void => {
    for (const [id, other] of joinable) if (other === flight) joinable.delete(id);
  };
  return {
    sent: (bucket) => {
      for (const flight of joinable.values()) if (flight.bucket === bucket) close(flight);
    },
    read: async <T>(
      bucket: string,
      call: Parameters<SingleFlight["read"]>[1],
      start: (signal: AbortSignal) => Promise<T>,
    ) => {
      const id = `${call.operation} ${bucket}`;
      let flight = joinable.get(id);
      if (flight === undefined) {
        const controller = new AbortController();
        flight = { bucket, controller, waiting: 0, answer: start(controller.signal) };
        joinable.set(id, flight);
        const started = flight;
        started.answer.then(
          () => close(started),
          () => close(started),
        );
      }
      // Everybody under one id starts the same read, so its answer is of the caller's type.
      return (await joined(flight, { ...call, provider }, close)) as T;
    },
  };
}

function joined(
  flight: Flight,
  { provider, operation, signal }: Parameters<SingleFlight["read"]>[1] & { readonly provider: string },
  close: (flight: Flight) => void,
): Promise<unknown> {
  if (signal === undefined) {
    flight.waiting += 1;
    return flight.answer;
  }
  const cancelled = (): Error => abortError(signal, { provider, operation, effect: "none" });
  return new Promise((resolve, reject) => {
    flight.waiting += 1;
    const onAbort = (): void => {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        close(flight);
        flight.controller.abort(signal.reason);
      }
      reject(cancelled());
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    flight.answer.finally(done).then(resolve, reject);
  });
}
