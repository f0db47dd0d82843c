import {
  type Clock,
  INSTANCE_STATUSES,
  type Instance,
  isProviderError,
  type Provider,
  projectProvider,
} from "@slipway/core";

/** What a shared listing says of one instance. */
export interface Listed {
  /** False: there was no listing for this look, so only `get` can say anything. */
  readonly isShared: boolean;
  /** Null: the listing does not show it, which alone is no proof that it is gone. */
  readonly instance: Instance | null;
}

const NO_LISTING: Listed = { isShared: false, instance: null };

/**
 * The looks at one provider's instances that all waits of this process share: many waits cost one listing a tick, and a
 * wait that is alone costs one `get`, without delay.
 */
export interface SharedLooks {
  /** Counts a wait in until the returned function is called. */
  readonly enter: () => () => void;
  /**
   * Joins the next listing, which is begun after this call; a wait that is alone gets none. Rejects as `list` does, but
   * for a failure that one region or one id may have caused: then there is no listing, and `get` decides for each one.
   */
  readonly look: (id: string, signal: AbortSignal) => Promise<Listed>;
  /** How long to sleep instead of `ms`, so that all waits look at the same moments; `ms` where the wait is alone. */
  readonly align: (ms: number) => number;
}

/** Waits that begin a look this close together share it. */
const GATHER_MS = 20;
/** Waits whose pause is this long or longer look at multiples of it. Between two listings lies at least the shortest. */
const SHORTEST_TICK_MS = 250;
const TICKS_MS = [2000, 1000, SHORTEST_TICK_MS] as const;

const byProvider = new WeakMap<Provider, WeakMap<Clock, SharedLooks>>();

/** The looks that everybody shares who waits with this provider object on this clock. */
export function sharedLooks(exact: Provider, clock: Clock): SharedLooks {
  let byClock = byProvider.get(exact);
  if (byClock === undefined) byProvider.set(exact, (byClock = new WeakMap()));
  let looks = byClock.get(clock);
  if (looks === undefined) byClock.set(clock, (looks = new Looks(projectProvider<Provider>(exact), clock)));
  return looks;
}

/** By id and by native id. */
type Listing = ReadonlyMap<string, Instance>;

/** One listing: first it gathers those who want it, then it is sent. */
interface Round {
  /** How many wait for each id. */
  readonly ids: Map<string, number>;
  readonly controller: AbortController;
  answer: Promise<Listing | null>;
}

class Looks implements SharedLooks {
  readonly #provider: Provider;
  readonly #clock: Clock;
  /** Other processes tick at other moments. */
  readonly #origin: number;
  #waits = 0;
  #gathering: Round | null = null;
  #sent: Promise<unknown> = Promise.resolve();
  #lastSentAt = Number.NEGATIVE_INFINITY;

  constructor(provider: Provider, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
    this.#origin = clock.now();
  }

  enter(): () => void {
    this.#waits += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#waits -= 1;
      isIn = false;
    };
  }

  align(ms: number): number {
    if (this.#waits < 2) return ms;
    const tick = TICKS_MS.find((each) => each <= ms) ?? SHORTEST_TICK_MS;
    const due = this.#clock.now() + ms - this.#origin;
    const aligned = ms + Math.round(due / tick) * tick - due;
    return aligned < ms / 2 ? aligned + tick : aligned;
  }

  async look(id: string, signal: AbortSignal): Promise<Listed> {
    if (this.#waits < 2) return NO_LISTING;
    this.#gathering ??= this.#open();
    const round = this.#gathering;
    round.ids.set(id, (round.ids.get(id) ?? 0) + 1);
    const listing = await unlessAborted(round.answer, signal, () => this.#leave(round, id));
    return listing === null ? NO_LISTING : { isShared: true, instance: listing.get(id) ?? null };
  }

  #open(): Round {
    const round: Round = { ids: new Map(), controller: new AbortController(), answer: Promise.resolve(null) };
    round.answer = this.#answer(round);
    // Everybody may have left before it fails.
    round.answer.catch(() => undefined);
    return round;
  }

  async #answer(round: Round): Promise<Listing | null> {
    const { signal } = round.controller;
    // One at a time: a slow remote is not asked again before it has answered.
    await this.#sent;
    const now = this.#clock.now();
    await this.#clock.sleep(Math.max(GATHER_MS, this.#lastSentAt + SHORTEST_TICK_MS - now), signal);
    this.#lastSentAt = this.#clock.now();
    this.#close(round);
    const answer = this.#listed([...round.ids.keys()], signal);
    this.#sent = answer.catch(() => undefined);
    return await answer;
  }

  #close(round: Round): void {
    if (this.#gathering === round) this.#gathering = null;
  }

  /** What nobody wants any more is not asked for, or is aborted. */
  #leave(round: Round, id: string): void {
    const others = (round.ids.get(id) ?? 0) - 1;
    if (others > 0) round.ids.set(id, others);
    else round.ids.delete(id);
    if (round.ids.size > 0) return;
    this.#close(round);
    round.controller.abort();
  }

  async #listed(ids: readonly string[], signal: AbortSignal): Promise<Listing | null> {
    // One id alone costs no more by `get`.
    if (ids.length < 2) return null;
    try {
      const found = new Map<string, Instance>();
      for (const instance of await this.#provider.list({ ids, status: INSTANCE_STATUSES }, { signal })) {
        found.set(instance.nativeId, instance).set(instance.id, instance);
      }
      return found;
    } catch (error) {
      if (concernsAll(error)) throw error;
      return null;
    }
  }
}

/** Would each `get` fail in the same way? */
function concernsAll(error: unknown): boolean {
  return isProviderError(error) && error.retryable && !error.exhausted && error.scope !== "region";
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal, left: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      left();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    answer.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}
