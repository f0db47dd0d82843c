import { setTimeout as pause } from "node:timers/promises";
import type { Lease } from "@slipway/control";

/** The leases of one store object, kept by asking for more time before it is over. */
export interface HeldLeases {
  /** `sentAt`: this process's own clock from before the request that got it. */
  readonly add: (id: string, token: string, sentAt: number) => Lease;
  readonly tokenOf: (id: string) => string | undefined;
  /** It is not held any more. Aborts its signal unless it was given back. */
  readonly drop: (id: string, token: string, how: "lost" | "released") => void;
  readonly now: () => number;
  readonly close: () => void;
}

export interface LeaseTimes {
  /** How long a lease lasts at the database that is not renewed. */
  readonly leaseMs: number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Asks for more time; resolves with the ids that are held still. */
  readonly renew: (held: ReadonlyMap<string, string>) => Promise<ReadonlySet<string>>;
}

interface Held {
  readonly token: string;
  readonly lost: AbortController;
  until: number;
}

// Two clocks may run at different speeds: this process believes in its leases a little shorter than the database does.
const BELIEVED = 0.9;
const RENEWALS = 3;
const LOOKS = 12;

const unreferenced = (ms: number, signal: AbortSignal): Promise<unknown> =>
  pause(ms, undefined, { signal, ref: false });

export function heldLeases(times: LeaseTimes): HeldLeases {
  const { leaseMs, renew, now = () => performance.now(), sleep = unreferenced } = times;
  const held = new Map<string, Held>();
  let watch: AbortController | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let isRenewing = false;

  const drop = (id: string, token: string, how: "lost" | "released"): void => {
    const one = held.get(id);
    if (one?.token !== token) return;
    held.delete(id);
    one.until = Number.NEGATIVE_INFINITY;
    if (how === "lost") one.lost.abort();
    if (held.size === 0) watch?.abort();
  };

  const renewAll = async (): Promise<void> => {
    const sentAt = now();
    const asked = new Map([...held].map(([id, { token }]) => [id, token]));
    const kept = await renew(asked);
    for (const [id, token] of asked) {
      const one = held.get(id);
      if (one?.token !== token) continue;
      if (!kept.has(id)) drop(id, token, "lost");
      else if (now() < one.until) one.until = sentAt + leaseMs * BELIEVED;
    }
    renewedAt = sentAt;
  };

  /** One for all leases, as long as there are any. It holds no process alive and decides nothing: `held` does. */
  const keepWatch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const soonest = Math.min(...[...held.values()].map(({ until }) => until - now()));
      await sleep(Math.max(Math.min(leaseMs / LOOKS, soonest), 1), signal).catch(() => undefined);
      if (signal.aborted) return;
      for (const [id, { token, until }] of [...held]) if (now() >= until) drop(id, token, "lost");
      if (isRenewing || held.size === 0 || now() - renewedAt < leaseMs / RENEWALS) continue;
      isRenewing = true;
      // A database that does not answer now is asked again at the next look.
      void renewAll()
        .catch(() => undefined)
        .finally(() => {
          isRenewing = false;
        });
    }
  };

  return {
    add: (id, token, sentAt) => {
      const one: Held = { token, lost: new AbortController(), until: sentAt + leaseMs * BELIEVED };
      if (held.size === 0) {
        renewedAt = now();
        watch = new AbortController();
        void keepWatch(watch.signal);
      }
      held.set(id, one);
      return { id, token, signal: one.lost.signal, held: () => now() < one.until };
    },
    tokenOf: (id) => held.get(id)?.token,
    drop,
    now,
    close: () => {
      for (const [id, { token }] of [...held]) drop(id, token, "lost");
      watch?.abort();
    },
  };
}
