import type { Clock } from "@slipway/core";
import type { StderrMarkers } from "./stderr-markers.ts";

/** What a command that was sent needs to say its process id, also over a slow line. */
const HOLD_MS = 3_000;

export interface HeldAbort {
  /** That of the client. */
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/**
 * Holds an abort back until the command has said its process id. The end of a client does not end what it started, and a command
 * that was sent, and whose id is still on its way, could be ended by nobody. One that says nothing is let go after three seconds.
 */
export function holdAbort(clock: Clock, signal: AbortSignal, stderr: StderrMarkers): HeldAbort {
  const client = new AbortController();
  const over = new AbortController();
  const letGo = (): void => client.abort(signal.reason);
  const hold = (): void => {
    if (stderr.pid !== null) return letGo();
    const waited = clock.sleep(HOLD_MS, over.signal).catch(() => undefined);
    void Promise.race([stderr.began, waited]).then(letGo);
  };
  // Nothing was sent yet.
  if (signal.aborted) letGo();
  else signal.addEventListener("abort", hold, { once: true });
  return {
    signal: client.signal,
    release: () => {
      signal.removeEventListener("abort", hold);
      over.abort();
    },
  };
}
