import {
  abortError,
  type BaseListFilter,
  type BaseSpawnOptions,
  type CallOptions,
  type Clock,
  type Instance,
  isKey,
  isProviderError,
  nameFor,
  type ProviderError,
  specHash,
} from "@slipway/core";
import { givenBootstrap } from "../bootstrap/given-bootstrap.ts";
import type { Refusal } from "../errors/refusal.ts";
import { withEffect } from "../errors/with-effect.ts";
import { matcherOf } from "../filters/matches-filter.ts";
import type { KeyedMutex } from "../limits/keyed-mutex.ts";
import {
  type Accepted,
  type Call,
  type Created,
  type Driver,
  type Identity,
  type InstanceBase,
  type Ownership,
  type SpawnRequest,
  Undone,
} from "./driver.ts";
import type { WriteCache } from "./write-cache.ts";

/** What the kit reads of any provider's options, whatever its capabilities add. */
export type AnySpawnOptions = BaseSpawnOptions & { readonly region?: string | undefined };
export type AnyListFilter = BaseListFilter & { readonly region?: string | undefined };

/** What the methods of one provider have in common. */
export interface DriverContext<M> {
  readonly provider: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly readAfterWriteMs: number;
  /** The configured regions; undefined where the remote has none, or all are allowed. */
  readonly regions: readonly string[] | undefined;
  readonly refuse: Refusal;
  /** A keyed mutex: works under one name come one after the other in this process. */
  readonly mutex: KeyedMutex;
  readonly writeCache: WriteCache<M>;
}

interface Candidate<M> {
  readonly machine: M;
  readonly identity: Identity;
}

interface Lookup<M> {
  readonly found: M | null;
  /** Terminating and terminated machines of the key, as far as they are still shown. */
  readonly previous: readonly M[];
}

const LOOK_AGAIN_MS = 2_000;
const UNSEEN_PAUSE_MS = 1_000;
const MOST_ATTEMPTS = 50;

/** The keyed life cycle of instances (CONTRACT §1 and §2) over a driver: spawn, terminate, get and list. */
export class LifeCycle<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;

  constructor(driver: Driver<M, I, O, T>, context: DriverContext<M>) {
    this.#driver = driver;
    this.#context = context;
  }

  async spawn(options: O, operation = "spawn"): Promise<I> {
    const call: Call = { operation, signal: options.signal };
    const request = this.#requestOf(call, options);
    return await this.#context.mutex(`spawn ${request.key}`, call, async () => {
      const { found, previous } = await this.#lookup(call, request);
      const there = found === null ? null : await this.#finish(call, found, request, "found");
      return await this.#answer(call, there ?? (await this.#create(call, request, previous)));
    });
  }

  async get(id: string, { signal }: CallOptions = {}): Promise<I | null> {
    if (!this.#driver.isId(id)) return null;
    const call: Call = { operation: "get", signal };
    // Not-found so shortly after the creation is no proof.
    const machine = (await this.#driver.get(call, id)) ?? this.#context.writeCache.ofId(id);
    return machine === undefined ? null : await this.#answer(call, machine);
  }

  async list(filter: AnyListFilter = {}, options: CallOptions = {}, operation = "list"): Promise<readonly I[]> {
    // Should pages that move show one instance twice, it is still one, as it was seen last.
    const found = new Map<string, I>();
    for await (const page of this.pages(filter, options, operation)) for (const one of page) found.set(one.id, one);
    return [...found.values()];
  }

  /** `list` a page at a time: nothing is kept, so an instance that moves from page to page may be answered twice. */
  async *pages(
    filter: AnyListFilter = {},
    { signal }: CallOptions = {},
    operation = "list",
  ): AsyncGenerator<readonly I[]> {
    const call: Call = { operation, signal };
    this.checkRegion(call, filter.region);
    const { owner = this.#context.owner, ids, keys, region, status } = filter;
    const hint = { owner: owner === "*" ? undefined : owner, ids, keys, region, terminated: status !== undefined };
    const matches = matcherOf(filter);
    const keyOf = keysByName(keys);
    for await (const page of this.#driver.list(call, hint)) {
      yield page.flatMap((machine) => {
        const identity = this.#driver.identify(machine);
        if (!this.#isOwned(identity, owner)) return [];
        const instance = this.#driver.toInstance(machine, this.#baseOf(identity, keyOf));
        return matches(instance) ? [instance] : [];
      });
    }
  }

  async terminate(id: string, { signal }: CallOptions = {}): Promise<void> {
    const { driver, context } = { driver: this.#driver, context: this.#context };
    if (!driver.isId(id)) return;
    const call: Call = { operation: "terminate", signal };
    await context.mutex(`terminate ${id}`, call, async () => {
      if (context.writeCache.isEnded(id)) return;
      for (;;) {
        const machine = await (driver.peek ?? driver.get)(call, id);
        if (machine !== null) {
          const { status, ownership } = driver.identify(machine);
          if (status === "terminating" || status === "terminated") return;
          if (ownership === null) throw this.unmanaged(call, id);
        }
        // Also what no read shows: it may be so new that only a write finds it.
        const outcome = await driver.destroy(call, id, machine);
        if (typeof outcome === "object" && !(await this.#isEnding(call, id, machine !== null))) throw outcome.unclear;
        if (outcome !== "gone") break;
        const isNew = context.writeCache.ofId(id) !== undefined;
        if (isNew && driver.waitsForUnseen !== true) throw this.#unseen(call, id);
        // What a read has just shown is not gone because one answer says so: another read decides.
        if (machine !== null && !(await this.#isEnding(call, id, true))) throw this.#contradicted(call, id);
        if (machine !== null || !isNew) break;
        await this.#pause(call, UNSEEN_PAUSE_MS, "none");
      }
      context.writeCache.ended(id);
    });
  }

  /** An instance of ours where a method needs one: NOT_FOUND, BUSY where it is too new, CONFLICT if unmanaged. */
  async managed(call: Call, id: string): Promise<M> {
    const machine = this.#driver.isId(id) ? await this.#driver.get(call, id) : null;
    if (machine !== null && this.#driver.identify(machine).ownership !== null) return machine;
    if (machine !== null) throw this.unmanaged(call, id);
    const code = this.#context.writeCache.ofId(id) === undefined ? "NOT_FOUND" : "BUSY";
    throw this.#context.refuse(code, call.operation, `there is no instance ${JSON.stringify(id.slice(0, 64))}`);
  }

  view(machine: M): I {
    return this.#driver.toInstance(machine, this.#baseOf(this.#driver.identify(machine)));
  }

  checkRegion({ operation }: Call, region: string | undefined): void {
    const { regions, refuse } = this.#context;
    if (region === undefined || regions === undefined || regions.includes(region)) return;
    throw refuse("INVALID_SPEC", operation, `region ${JSON.stringify(region)} is not configured`, {
      hint: `This provider was made with ${regions.join(", ")}.`,
    });
  }

  unmanaged({ operation }: Call, id: string): ProviderError {
    const message = `${id} was not made by Slipway: it is left alone`;
    return this.#context.refuse("CONFLICT", operation, message, { nativeId: id });
  }

  /** Throws INVALID_SPEC for what core's own checks cannot know. */
  #requestOf(call: Call, options: O): SpawnRequest<O, T> {
    const { provider, owner, refuse } = this.#context;
    const { bootstrap: how, labelFault } = this.#driver;
    const { operation } = call;
    const { key, labels = {}, name: displayName, expiresAt, bootstrap } = options;
    // defineProvider has given it one.
    if (!isKey(key)) throw refuse("INVALID_SPEC", operation, "key must be 1 to 128 printable ASCII characters");
    this.checkRegion(call, options.region);
    for (const [label, value] of Object.entries(labels)) {
      const fault = labelFault?.(label, value) ?? null;
      if (fault !== null) throw refuse("INVALID_SPEC", operation, `labels: ${JSON.stringify(label)} ${fault}`);
    }
    const script = bootstrap === undefined ? undefined : givenBootstrap(bootstrap, { provider, operation, ...how });
    const spec = this.#driver.specOf?.(options) ?? options;
    const hash = specHash(script === undefined ? spec : { ...spec, bootstrap: script });
    const ownership = { owner, key, specHash: hash, displayName, expiresAt, labels };
    const request = { options, key, name: nameFor(owner, key), specHash: hash, ownership, script };
    const prepared = this.#driver.prepare(call, { ...request, prepared: undefined });
    return { ...request, prepared };
  }

  /** The instance that has the key. CONFLICT for another spec, and for an unmanaged machine with our name. */
  async #lookup(call: Call, request: SpawnRequest<O, T>): Promise<Lookup<M>> {
    const listed = await this.#listed(call, request);
    const live: Candidate<M>[] = [];
    for (const candidate of listed.live) {
      const now = await this.#confirmed(call, candidate);
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
    return { found: await this.#fromWriteCache(call, request), previous };
  }

  /** The one of the key among what is there; `live` is not empty. */
  #judged(call: Call, request: SpawnRequest<O, T>, live: readonly Candidate<M>[]): M {
    const foreign = live.find(({ identity }) => !this.#isOf(identity, request));
    if (foreign !== undefined) throw this.#nameTaken(call, request, foreign.identity.id);
    const oldest = live.toSorted(byAge);
    // An election is won by the oldest, whatever the others ask for.
    const eligible = this.#driver.elects === true ? oldest.slice(0, 1) : oldest;
    const same = eligible.filter(({ identity }) => isSameSpec(identity.ownership, request));
    const [first] = same;
    if (first !== undefined) return first.machine;
    throw this.#otherSpec(call, request, oldest[0]?.identity.id ?? "");
  }

  async #listed(call: Call, request: SpawnRequest<O, T>) {
    const { owner } = this.#context;
    const live = new Map<string, Candidate<M>>();
    const previous = new Map<string, M>();
    const hint = { owner, keys: [request.key], names: [request.name], terminated: true };
    for await (const page of this.#driver.list(call, hint)) {
      for (const machine of page) {
        const identity = this.#driver.identify(machine);
        const isOurs = this.#isOf(identity, request);
        live.delete(identity.id);
        if (!isOurs && (identity.name !== request.name || identity.status === "terminated")) continue;
        if (!isOurs || !this.#hasEnded(identity)) live.set(identity.id, { machine, identity });
        else previous.set(identity.id, machine);
      }
    }
    return { live: [...live.values()], previous: [...previous.values()] };
  }

  /** As it is now; null if it is gone, though a late listing still shows it. */
  async #confirmed(call: Call, listed: Candidate<M>): Promise<Candidate<M> | null> {
    if (this.#driver.confirmsListed !== true) return listed;
    const { id, createdAt } = listed.identity;
    const machine = await this.#driver.get(call, id);
    if (machine !== null) {
      const identity = this.#driver.identify(machine);
      return this.#hasEnded(identity) ? null : { machine, identity };
    }
    const { writeCache, clock, readAfterWriteMs } = this.#context;
    if (writeCache.isEnded(id)) return null;
    if (writeCache.ofId(id) !== undefined) return listed;
    // Of another process: too young for its absence to say anything.
    return clock.now() - Date.parse(createdAt ?? "") < readAfterWriteMs ? listed : null;
  }

  /** What this process created, or may have created, so shortly ago that a listing need not show it yet. */
  async #fromWriteCache(call: Call, request: SpawnRequest<O, T>): Promise<M | null> {
    const { writeCache, clock } = this.#context;
    const made = writeCache.ofKey(request.key);
    if (made !== undefined) {
      const machine = (await this.#driver.get(call, made.id)) ?? made.thing;
      const identity = this.#driver.identify(machine);
      if (this.#hasEnded(identity)) return null;
      return this.#judged(call, request, [{ machine, identity }]);
    }
    const until = writeCache.unclearUntil(request.key);
    if (until === undefined) return null;
    await this.#pause(call, Math.max(0, until - clock.now()), "none");
    const { live } = await this.#listed(call, request);
    return live.length === 0 ? null : this.#judged(call, request, live);
  }

  async #create(call: Call, request: SpawnRequest<O, T>, previous: readonly M[]): Promise<M> {
    const { writeCache } = this.#context;
    for (let attempt = 0, patience = 1; ; attempt += 1) {
      const outcome = await this.#sendQueued(call, request, { attempt, previous }).catch((error: unknown) => {
        if (!isProviderError(error) || error.effect !== "none") writeCache.unclear(request.key);
        throw error;
      });
      if ("machine" in outcome) {
        const machine = await this.#accepted(call, request, outcome);
        const whole = await this.#finish(call, machine, request, "created");
        return whole ?? machine;
      }
      const looks = "error" in outcome && outcome.lookUp;
      const seen = looks ? await this.#rival(call, request) : null;
      const found = "found" in outcome ? outcome.found : (seen?.found ?? null);
      const whole = found === null ? null : await this.#finish(call, found, request, "found");
      if (whole !== null) return whole;
      if ("found" in outcome) continue;
      const ending = seen?.previous.map((machine) => this.#driver.identify(machine)).find(isTerminating);
      if (ending !== undefined) throw this.#nameHeld(call, request, ending.id);
      // What was in the way and cannot be seen may have gone meanwhile: that is tried once.
      if (!outcome.retry || attempt === MOST_ATTEMPTS || (looks && patience-- === 0)) throw outcome.error;
    }
  }

  /** Where creations queue, what was read before is not true at the end of the queue. */
  async #sendQueued(
    call: Call,
    request: SpawnRequest<O, T>,
    at: { readonly attempt: number; readonly previous: readonly M[] },
  ): Promise<{ readonly found: M } | Created<M>> {
    const { createQueue } = this.#driver;
    if (createQueue === undefined) {
      return await this.#driver.create(call, request, { ...at, sent: () => undefined });
    }
    const { clock, mutex } = this.#context;
    const lookedUpAt = clock.now();
    return await mutex("create", call, async (sent) => {
      const isOld = clock.now() - lookedUpAt > createQueue.lookupMaxAgeMs;
      const found = isOld ? (await this.#lookup(call, request)).found : null;
      return found === null ? await this.#driver.create(call, request, { ...at, sent }) : { found };
    });
  }

  /** The machine of an accepted creation, as it can be read. */
  async #accepted(call: Call, request: SpawnRequest<O, T>, created: Accepted<M>): Promise<M> {
    const { id } = this.#driver.identify(created.machine);
    this.#context.writeCache.made(request.key, id, created.machine);
    if (this.#driver.elects === true) return await this.#elected(call, request, created.machine);
    if (created.isProvisional !== true) return created.machine;
    // It is there and paid for, whatever becomes of this read.
    return (await this.#driver.get(call, id).catch(() => null)) ?? created.machine;
  }

  /** Two processes may have created one each: all of them keep the same one. */
  async #elected(call: Call, request: SpawnRequest<O, T>, own: M): Promise<M> {
    const { id } = this.#driver.identify(own);
    const { live } = await this.#listed(call, request);
    const ours = live.filter(({ identity }) => this.#isOf(identity, request));
    const [winner] = ours.toSorted(byAge);
    if (winner === undefined || winner.identity.id === id) return own;
    // Another loser may be of a process that was killed before it could end it.
    await this.#endLosers(
      call,
      ours.filter((one) => one !== winner),
    );
    return this.#judged(call, request, [winner]);
  }

  async #endLosers(call: Call, losers: readonly Candidate<M>[]): Promise<void> {
    for (const { machine, identity } of losers) {
      await this.#driver.destroy(call, identity.id, machine).catch((error: unknown) => {
        throw applied(error);
      });
      this.#context.writeCache.ended(identity.id);
    }
  }

  /** What another process created under the key: looked for until a listing has to show it. */
  async #rival(call: Call, request: SpawnRequest<O, T>): Promise<Lookup<M>> {
    const { clock, readAfterWriteMs } = this.#context;
    const until = clock.now() + readAfterWriteMs;
    for (;;) {
      const seen = await this.#lookup(call, request);
      const left = until - clock.now();
      if (seen.found !== null || left <= 0) return seen;
      await this.#pause(call, Math.min(LOOK_AGAIN_MS, left), "none");
    }
  }

  async #finish(call: Call, machine: M, request: SpawnRequest<O, T>, origin: "found" | "created"): Promise<M | null> {
    const { finish } = this.#driver;
    if (finish === undefined) return machine;
    try {
      return await finish(call, machine, request, origin);
    } catch (error) {
      if (error instanceof Undone) {
        this.#context.writeCache.ended(this.#driver.identify(machine).id);
        throw error.error;
      }
      // What was created stays so, whatever failed afterwards.
      throw origin === "created" ? applied(error) : error;
    }
  }

  async #answer(call: Call, machine: M): Promise<I> {
    const identity = this.#driver.identify(machine);
    const instance = this.#driver.toInstance(machine, this.#baseOf(identity));
    try {
      return (await this.#driver.enrich?.(call, machine, instance)) ?? instance;
    } catch (error) {
      throw call.operation === "get" ? error : applied(error);
    }
  }

  #baseOf(identity: Identity, keyOf: KeyOf = () => null): InstanceBase {
    const { id, nativeId = id, status, ownership, name } = identity;
    const owner = ownership?.owner ?? null;
    const key = ownership?.key ?? (owner === null || name === undefined ? null : keyOf(owner, name));
    const { labels = {}, expiresAt, displayName, specHash: hash = "" } = ownership ?? {};
    return {
      id,
      nativeId,
      provider: this.#context.provider,
      status,
      key,
      owner,
      specHash: hash,
      labels,
      ...(name === undefined || name === "" ? {} : { remoteName: name }),
      ...(displayName === undefined ? {} : { name: displayName }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
  }

  /** An instance that is about to be gone is never returned by `spawn`: whoever got it would soon have nothing. */
  #hasEnded({ id, status }: Identity): boolean {
    return status === "terminated" || status === "terminating" || this.#context.writeCache.isEnded(id);
  }

  #isOwned({ ownership }: Identity, owner: string): boolean {
    return ownership !== null && (owner === "*" || ownership.owner === owner);
  }

  #isOf({ ownership, name }: Identity, request: SpawnRequest<O, unknown>): boolean {
    if (ownership?.owner !== this.#context.owner) return false;
    return ownership.key === null ? name === request.name : ownership.key === request.key;
  }

  /** After an answer that may mean that it is ending: another process may have begun it so shortly ago that reads lag. */
  async #isEnding(call: Call, id: string, wasSeen: boolean): Promise<boolean> {
    const looked = async (isLast: boolean): Promise<boolean> => {
      try {
        const now = await this.#driver.get(call, id);
        // No read may show it yet: then its absence is a proof only after the lag.
        if (now === null) return isLast || (wasSeen && this.#context.writeCache.ofId(id) === undefined);
        return ["terminating", "terminated"].includes(this.#driver.identify(now).status);
      } catch {
        // It cannot be read: then the answer to the write is all that is known.
        this.#assertWanted(call);
        return false;
      }
    };
    if (await looked(false)) return true;
    await this.#pause(call, this.#context.readAfterWriteMs, "unknown");
    return await looked(true);
  }

  #assertWanted({ operation, signal }: Call): void {
    if (signal?.aborted === true)
      throw abortError(signal, { provider: this.#context.provider, operation, effect: "unknown" });
  }

  async #pause({ operation, signal }: Call, ms: number, effect: "none" | "unknown"): Promise<void> {
    try {
      await this.#context.clock.sleep(ms, signal);
    } catch (error) {
      throw signal === undefined ? error : abortError(signal, { provider: this.#context.provider, operation, effect });
    }
  }

  #unseen({ operation }: Call, id: string): ProviderError {
    return this.#context.refuse("BUSY", operation, `${id} was created just now and is not known yet`, {
      hint: "Call again in a few seconds.",
      retryAfterMs: LOOK_AGAIN_MS,
    });
  }

  #contradicted({ operation }: Call, id: string): ProviderError {
    const { refuse, provider } = this.#context;
    return refuse("UNAVAILABLE", operation, `${provider} says that ${id} is not there, and shows it all the same`, {
      effect: "unknown",
      hint: "Call again; if it stays so, end it in the console of the provider.",
      nativeId: id,
    });
  }

  #otherSpec({ operation }: Call, { key }: SpawnRequest<O, T>, nativeId: string): ProviderError {
    const message = `the key ${JSON.stringify(key)} has an instance of another spec: ${nativeId}`;
    return this.#context.refuse("CONFLICT", operation, message, {
      hint: "Use another key, or terminate that instance first.",
      nativeId,
    });
  }

  #nameHeld({ operation }: Call, { key }: SpawnRequest<O, T>, nativeId: string): ProviderError {
    const message = `the key ${JSON.stringify(key)} has an instance that is terminating, and its name is not free yet`;
    return this.#context.refuse("BUSY", operation, `${message}: ${nativeId}`, {
      hint: "Call again in a few seconds: then a new instance is made.",
      retryAfterMs: LOOK_AGAIN_MS,
      nativeId,
    });
  }

  #nameTaken({ operation }: Call, { name }: SpawnRequest<O, T>, nativeId: string): ProviderError {
    const message = `an instance that Slipway has not made under this key is named ${name}: ${nativeId}`;
    return this.#context.refuse("CONFLICT", operation, message, {
      hint: "Slipway leaves it alone: rename or end it by hand, or use another key.",
      nativeId,
    });
  }
}

type KeyOf = (owner: string, name: string) => string | null;

/** Which of these keys has a name: where a remote keeps nothing but the name. */
function keysByName(keys: readonly string[] = []): KeyOf {
  const byOwner = new Map<string, ReadonlyMap<string, string>>();
  return (owner, name) => {
    const names = byOwner.get(owner) ?? new Map(keys.map((key) => [nameFor(owner, key), key]));
    byOwner.set(owner, names);
    return names.get(name) ?? null;
  };
}

function isTerminating({ status }: Identity): boolean {
  return status === "terminating";
}

function applied(error: unknown): unknown {
  return isProviderError(error) && error.effect === "none" ? withEffect(error, "applied") : error;
}

/** A creation that was cut off has no spec hash yet: the driver's `finish` decides. */
function isSameSpec(ownership: Ownership | null, request: { readonly specHash: string }): boolean {
  return ownership?.specHash === undefined || ownership.specHash === request.specHash;
}

/** Every process that looks chooses the same one. */
function byAge<M>(a: Candidate<M>, b: Candidate<M>): number {
  const [before, after] = [a.identity.createdAt ?? "", b.identity.createdAt ?? ""];
  return before === after ? (a.identity.id < b.identity.id ? -1 : 1) : before < after ? -1 : 1;
}
