import type { Instance } from "@slipway/core";
import type { Call, Driver, SpawnRequest } from "./driver.ts";
import { type AnySpawnOptions, applied, type DriverContext, pause } from "./driver-context.ts";
import { byAge, type Candidate, type Identities, isSameSpec } from "./identities.ts";
import { type LifeCycleRefusals, LOOK_AGAIN_MS } from "./life-cycle-refusals.ts";

export interface Lookup<M> {
  readonly found: M | null;
  /** Terminating and terminated machines of the key, as far as they are still shown. */
  readonly previous: readonly M[];
}

/** The instance that has a key: by what the remote lists, what this process wrote, and what another process may have. */
export class KeyLookup<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;
  readonly #identities: Identities<M, I, O, T>;
  readonly #refusals: LifeCycleRefusals;

  constructor(
    driver: Driver<M, I, O, T>,
    context: DriverContext<M>,
    parts: { readonly identities: Identities<M, I, O, T>; readonly refusals: LifeCycleRefusals },
  ) {
    this.#driver = driver;
    this.#context = context;
    this.#identities = parts.identities;
    this.#refusals = parts.refusals;
  }

  /** The instance that has the key. CONFLICT for another spec, and for an unmanaged machine with our name. */
  async find(call: Call, request: SpawnRequest<O, T>): Promise<Lookup<M>> {
    const asOf = this.#context.clock.now();
    const listed = await this.#listed(call, request);
    const live: Candidate<M>[] = [];
    for (const candidate of listed.live) {
      const now = await this.#confirmed(call, candidate, asOf);
      if (now !== null) live.push(now);
    }
    const { previous } = listed;
    const [first] = live;
    if (first !== undefined) {
      // One that failed and was terminated elsewhere is still shown: it must not win over the one that took its place.
      const whole = live.filter(({ identity }) => identity.status !== "error");
      const standing = this.#driver.elects === true && whole.length > 0 ? whole : live;
      const found = this.#judged(call, request, standing);
      if (this.#driver.elects === true) await this.#endLosers(call, standing.toSorted(byAge).slice(1));
      return { found, previous };
    }
    return { found: await this.#fromWriteCache(call, request, { previous, asOf }), previous };
  }

  /** What another process created under the key: looked for until a listing has to show it. */
  async findRival(call: Call, request: SpawnRequest<O, T>): Promise<Lookup<M>> {
    const { clock, readAfterWriteMs } = this.#context;
    const until = clock.now() + readAfterWriteMs;
    for (;;) {
      // A listing that is answered late shows no more than when it began.
      const begun = clock.now();
      const seen = await this.find(call, request);
      if (seen.found !== null || begun >= until) return seen;
      await pause(this.#context, call, Math.min(LOOK_AGAIN_MS, Math.max(0, until - clock.now())), "none");
    }
  }

  /** Two processes may have created one each: all of them keep the same one. */
  async elect(call: Call, request: SpawnRequest<O, T>, own: M): Promise<M> {
    const { id } = this.#driver.identify(own);
    const { live } = await this.#listed(call, request).catch((error: unknown) => {
      throw applied(error);
    });
    const ours = live.filter(({ identity }) => this.#identities.isOf(identity, request));
    const [winner] = ours.toSorted(byAge);
    if (winner === undefined || winner.identity.id === id) return own;
    // Another loser may be of a process that was killed before it could end it.
    await this.#endLosers(
      call,
      ours.filter((one) => one !== winner),
    );
    return this.#judged(call, request, [winner]);
  }

  /** The one of the key among what is there; `live` is not empty. */
  #judged(call: Call, request: SpawnRequest<O, T>, live: readonly Candidate<M>[]): M {
    const foreign = live.find(({ identity }) => !this.#identities.isOf(identity, request));
    if (foreign !== undefined) throw this.#refusals.nameTaken(call, request, foreign.identity.id);
    const oldest = live.toSorted(byAge);
    // An election is won by the oldest, whatever the others ask for.
    const eligible = this.#driver.elects === true ? oldest.slice(0, 1) : oldest;
    const same = eligible.filter(({ identity }) => isSameSpec(identity.ownership, request));
    const [first] = same;
    if (first !== undefined) return first.machine;
    throw this.#refusals.otherSpec(call, request, oldest[0]?.identity.id ?? "");
  }

  async #listed(call: Call, request: SpawnRequest<O, T>) {
    const { owner, clock } = this.#context;
    const asOf = clock.now();
    const live = new Map<string, Candidate<M>>();
    const previous = new Map<string, M>();
    const hint = { owner, keys: [request.key], names: [request.name], terminated: true };
    for await (const page of this.#driver.list(call, hint)) {
      for (const machine of page) {
        const identity = this.#driver.identify(machine);
        const isOurs = this.#identities.isOf(identity, request);
        live.delete(identity.id);
        if (!isOurs && (identity.name !== request.name || identity.status === "terminated")) continue;
        if (!isOurs || !this.#identities.hasEnded(identity, asOf)) live.set(identity.id, { machine, identity });
        else previous.set(identity.id, machine);
      }
    }
    return { live: [...live.values()], previous: [...previous.values()] };
  }

  /** As it is now; null if it is gone, though a late listing still shows it. */
  async #confirmed(call: Call, listed: Candidate<M>, asOf: number): Promise<Candidate<M> | null> {
    if (this.#driver.confirmsListed !== true) return listed;
    const { id, createdAt } = listed.identity;
    const machine = await this.#driver.get(call, id);
    if (machine !== null) {
      const identity = this.#driver.identify(machine);
      return this.#identities.hasEnded(identity, asOf) ? null : { machine, identity };
    }
    const { writeCache, readAfterWriteMs } = this.#context;
    if (writeCache.isEnded(id, asOf)) return null;
    if (writeCache.ofId(id, asOf) !== undefined) return listed;
    // Of another process: too young for its absence to say anything.
    return asOf - Date.parse(createdAt ?? "") < readAfterWriteMs ? listed : null;
  }

  /** What this process created, or may have created, so shortly ago that a listing need not show it yet. */
  async #fromWriteCache(
    call: Call,
    request: SpawnRequest<O, T>,
    { previous, asOf }: Pick<Lookup<M>, "previous"> & { readonly asOf: number },
  ): Promise<M | null> {
    const { writeCache, clock } = this.#context;
    const made = writeCache.ofKey(request.key, asOf);
    if (made !== undefined) {
      // The listing shows it, and that it has ended.
      if (previous.some((machine) => this.#driver.identify(machine).id === made.id)) return null;
      const machine = (await this.#driver.get(call, made.id)) ?? made.thing;
      const identity = this.#driver.identify(machine);
      if (this.#identities.hasEnded(identity, asOf)) return null;
      return this.#judged(call, request, [{ machine, identity }]);
    }
    const until = writeCache.unclearUntil(request.key, asOf);
    if (until === undefined) return null;
    // It is mostly shown soon; only the last look proves that it is not there.
    for (let waitMs = LOOK_AGAIN_MS; ; waitMs *= 2) {
      const left = Math.max(0, until - clock.now());
      await pause(this.#context, call, Math.min(waitMs, left), "none");
      const { live } = await this.#listed(call, request);
      if (live.length > 0) return this.#judged(call, request, live);
      if (left <= waitMs) return null;
    }
  }

  async #endLosers(call: Call, losers: readonly Candidate<M>[]): Promise<void> {
    for (const { machine, identity } of losers) {
      const outcome = await this.#driver.destroy(call, identity.id, machine).catch((error: unknown) => {
        throw applied(error);
      });
      // It may go on: the next look finds it again.
      if (typeof outcome === "object") throw applied(outcome.unclear);
      this.#context.writeCache.ended(identity.id);
    }
  }
}
