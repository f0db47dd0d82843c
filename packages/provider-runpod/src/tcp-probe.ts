import { connect } from "node:net";

/** Where a probe looks. */
export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
}

/** Says whether something listens there. It must answer within `timeoutMs`, and answers false rather than rejecting. */
export type Probe = (
  target: ProbeTarget,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
) => Promise<boolean>;

/**
 * Opens a TCP connection and closes it at once; nothing is sent.
 *
 * @example
 * ```ts
 * import { runpod } from "@slipway/provider-runpod";
 *
 * const cloud = runpod({ owner: "me", apiKey: "from your vault", probe: tcpProbe });
 * ```
 */
export const tcpProbe: Probe = ({ host, port }, { timeoutMs, signal }) =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve(false);
    const socket = connect({ host, port });
    const end = (answers: boolean): void => {
      signal?.removeEventListener("abort", gaveUp);
      socket.destroy();
      resolve(answers);
    };
    const gaveUp = (): void => end(false);
    signal?.addEventListener("abort", gaveUp, { once: true });
    socket.setTimeout(timeoutMs, gaveUp);
    socket.once("connect", () => end(true));
    // A refused or broken connection is an answer, too: not yet.
    socket.once("error", gaveUp);
  });
