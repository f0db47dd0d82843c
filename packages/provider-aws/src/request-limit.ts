import type { Clock } from "@slipway/core";

/** The time that one request may take, counted from the moment when it is sent. */
export interface RequestLimit {
  readonly signal: AbortSignal;
  /** It is sent now. What the SDK does before that is no waiting for AWS. */
  readonly begin: () => void;
  /** To be called when the request is over, or the clock would keep counting. */
  readonly release: () => void;
}

/** Joins the caller's signal and the limit: past it the signal's reason is a `TimeoutError`. */
export function requestLimit(clock: Clock, timeoutMs: number, given: AbortSignal | undefined): RequestLimit {
  const controller = new AbortController();
  const stop = new AbortController();
  const onAbort = (): void => controller.abort(given?.reason);
  if (given?.aborted === true) onAbort();
  else given?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    begin: () => {
      clock.sleep(timeoutMs, stop.signal).then(
        () => controller.abort(new DOMException(`no answer within ${timeoutMs} ms`, "TimeoutError")),
        // Released before its time: nothing to do.
        () => undefined,
      );
    },
    release: () => {
      given?.removeEventListener("abort", onAbort);
      stop.abort();
    },
  };
}
