import { type Clock, type RemoteDate, systemClock } from "@slipway/core";

/**
 * What the `Date` headers of remotes say of this machine's clock. Hand its `onRemoteDate` to the providers as a part of
 * their `runtime`, and the whole to `reap`.
 */
export interface RemoteClock {
  readonly onRemoteDate: (date: RemoteDate) => void;
  /** The newest answer of this provider; undefined if none had a date. */
  readonly latest: (provider: string) => RemoteDate | undefined;
}

/**
 * @example
 * ```ts
 * import { reap } from "@slipway/control";
 * import { lambda } from "@slipway/provider-lambda";
 *
 * const clock = remoteClock();
 * const cloud = lambda({ owner: "me", apiKey: "from your vault", runtime: { onRemoteDate: clock.onRemoteDate } });
 * await reap([cloud], { remoteClock: clock });
 * ```
 */
export function remoteClock(): RemoteClock {
  const dates = new Map<string, RemoteDate>();
  return {
    onRemoteDate: (date) => {
      dates.set(date.provider, date);
    },
    latest: (provider) => dates.get(provider),
  };
}

/**
 * Is this machine's clock right? `agrees`: with the remote's. `differs`: by more than is tolerated, and one of the two is
 * wrong. `unknown`: the remote shows no clock.
 */
export type ClockCheck =
  | { readonly state: "agrees" | "differs"; readonly aheadMs: number }
  | { readonly state: "unknown" };

// A header has whole seconds.
const SECOND_MS = 1000;

/** How far this clock is ahead of the remote's: 0 where the time that the answer took may explain the difference. */
function aheadOf({ date, sentAt, receivedAt }: RemoteDate): number {
  const [least, most] = [sentAt - date - SECOND_MS, receivedAt - date];
  return least > 0 ? least : most < 0 ? most : 0;
}

export function checkClock(date: RemoteDate | undefined, toleranceMs: number): ClockCheck {
  if (date === undefined) return { state: "unknown" };
  const aheadMs = aheadOf(date);
  return { state: Math.abs(aheadMs) > toleranceMs ? "differs" : "agrees", aheadMs };
}

/** The time that has passed on this clock and on all of these remotes': nothing expires because one clock is ahead. */
export function timeOnAll(dates: readonly RemoteDate[], clock: Clock = systemClock): number {
  return clock.now() - Math.max(0, ...dates.map(aheadOf));
}
