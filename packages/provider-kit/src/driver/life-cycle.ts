import { type CallOptions, type Instance, isKey, nameFor, type ProviderError, specHash } from "@slipway/core";
import { givenBootstrap } from "../bootstrap/render-bootstrap.ts";
import { matcherOf } from "../filters/matches-filter.ts";
import { Creation } from "./creation.ts";
import type { Call, Driver, SpawnRequest } from "./driver.ts";
import { type AnyListFilter, type AnySpawnOptions, applied, type DriverContext } from "./driver-context.ts";
import { Identities, keysByName } from "./identities.ts";
import { KeyLookup, type Lookup } from "./key-lookup.ts";
import { LifeCycleRefusals } from "./life-cycle-refusals.ts";
import { Termination } from "./termination.ts";

/** The keyed life cycle of instances (CONTRACT §1 and §2) over a driver: spawn, terminate, get and list. */
export class LifeCycle<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;
  readonly #identities: Identities<M, I, O, T>;
  readonly #refusals: LifeCycleRefusals;
  readonly #keys: KeyLookup<M, I, O, T>;
  readonly #creation: Creation<M, I, O, T>;
  readonly #termination: Termination<M, I, O, T>;

  constructor(driver: Driver<M, I, O, T>, context: DriverContext<M>) {
    const refusals = new LifeCycleRefusals(context);
    const identities = new Identities(driver, context);
    const keys = new KeyLookup(driver, context, { identities, refusals });
    this.#driver = driver;
    this.#context = context;
    this.#identities = identities;
    this.#refusals = refusals;
    this.#keys = keys;
    this.#creation = new Creation(driver, context, { keys, refusals });
    this.#termination = new Termination(driver, context, refusals);
  }

  async spawn(options: O, operation = "spawn"): Promise<I> {
    const call: Call = { operation, signal: options.signal };
    const request = this.requestOf(call, options);
    return await this.#context.mutex(`spawn ${request.key}`, call, async () => {
      const { found, previous } = await this.#keys.find(call, request);
      const there = found === null ? null : await this.#creation.finish(call, found, request, "found");
      return await this.#answer(call, there ?? (await this.#creation.create(call, request, previous)));
    });
  }

  async get(id: string, { signal }: CallOptions = {}): Promise<I | null> {
    if (!this.#driver.isId(id)) return null;
    const call: Call = { operation: "get", signal };
    // Not-found so shortly after the creation is no proof.
    const { clock, writeCache } = this.#context;
    const asOf = clock.now();
    const machine = (await this.#driver.get(call, id)) ?? writeCache.ofId(id, asOf);
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
        const candidate = this.#identities.candidate(machine);
        if (!this.#identities.isOwned(candidate.identity, owner)) return [];
        const instance = this.#identities.toInstance(candidate, keyOf);
        return matches(instance) ? [instance] : [];
      });
    }
  }

  async terminate(id: string, { signal }: CallOptions = {}, operation = "terminate"): Promise<void> {
    await this.#termination.terminate({ operation, signal }, id);
  }

  /** What `spawn` would return without a creation, and what ended under the key before, as far as it is shown. */
  async find(call: Call, request: SpawnRequest<O, T>): Promise<Lookup<M>> {
    return await this.#keys.find(call, request);
  }

  /** Has this process ended it so shortly ago that reads may not show it? */
  isEnded(id: string): boolean {
    return this.#context.writeCache.isEnded(id);
  }

  /** An instance of ours where a method needs one: NOT_FOUND, BUSY where it is too new, CONFLICT if unmanaged. */
  async managed(call: Call, id: string): Promise<M> {
    const { clock, writeCache, refuse } = this.#context;
    const asOf = clock.now();
    const machine = this.#driver.isId(id) ? await this.#driver.get(call, id) : null;
    if (machine !== null && this.#driver.identify(machine).ownership !== null) return machine;
    if (machine !== null) throw this.#refusals.unmanaged(call, id);
    if (writeCache.ofId(id, asOf) !== undefined) throw this.#refusals.unseen(call, id);
    throw refuse("NOT_FOUND", call.operation, `there is no instance ${JSON.stringify(id.slice(0, 64))}`);
  }

  view(machine: M): I {
    return this.#identities.toInstance(this.#identities.candidate(machine));
  }

  checkRegion(call: Call, region: string | undefined): void {
    this.#refusals.checkRegion(call, region);
  }

  unmanaged(call: Call, id: string): ProviderError {
    return this.#refusals.unmanaged(call, id);
  }

  /** A spawn after every check that needs no call. Throws INVALID_SPEC for what core's own checks cannot know. */
  requestOf(call: Call, options: O): SpawnRequest<O, T> {
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

  async #answer(call: Call, machine: M): Promise<I> {
    const instance = this.view(machine);
    try {
      return (await this.#driver.enrich?.(call, machine, instance)) ?? instance;
    } catch (error) {
      throw call.operation === "get" ? error : applied(error);
    }
  }
}
