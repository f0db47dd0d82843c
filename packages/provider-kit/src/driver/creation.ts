import { type Instance, isProviderError } from "@slipway/core";
import { withEffect } from "../errors/refusal.ts";
import {
  type Accepted,
  type Call,
  type Created,
  type Driver,
  type Found,
  type Refused,
  type SpawnRequest,
  Undone,
} from "./driver.ts";
import { type AnySpawnOptions, applied, type DriverContext } from "./driver-context.ts";
import type { KeyLookup, Lookup } from "./key-lookup.ts";
import type { LifeCycleRefusals } from "./life-cycle-refusals.ts";

const MOST_ATTEMPTS = 50;

/** Making the machine of a key that has none: sent, looked up where the answer is unclear, finished. */
export class Creation<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;
  readonly #keys: KeyLookup<M, I, O, T>;
  readonly #refusals: LifeCycleRefusals;

  constructor(
    driver: Driver<M, I, O, T>,
    context: DriverContext<M>,
    parts: { readonly keys: KeyLookup<M, I, O, T>; readonly refusals: LifeCycleRefusals },
  ) {
    this.#driver = driver;
    this.#context = context;
    this.#keys = parts.keys;
    this.#refusals = parts.refusals;
  }

  async create(call: Call, request: SpawnRequest<O, T>, previous: readonly M[]): Promise<M> {
    const { writeCache } = this.#context;
    for (let attempt = 0, patience = 1; ; attempt += 1) {
      const outcome = await this.#sendQueued(call, request, { attempt, previous }).catch((error: unknown) => {
        if (!isProviderError(error) || error.effect !== "none") writeCache.unclear(request.key);
        throw error;
      });
      if ("machine" in outcome) {
        const machine = await this.#accepted(call, request, outcome);
        const whole = await this.finish(call, machine, request, "created");
        return whole ?? machine;
      }
      const looks = "error" in outcome && outcome.lookUp;
      const seen = looks ? await this.#look(call, request, outcome) : null;
      const found = "found" in outcome ? outcome.found : (seen?.found ?? null);
      const whole = found === null ? null : await this.#finishFound(call, found, request, outcome);
      if (whole !== null) return whole;
      if ("found" in outcome) continue;
      const ending = seen?.previous
        .map((machine) => this.#driver.identify(machine))
        .find(({ status }) => status === "terminating");
      if (ending !== undefined) throw this.#refusals.nameHeld(call, request, ending.id);
      // What was in the way and cannot be seen may have gone meanwhile: that is tried once.
      if (!outcome.retry || attempt === MOST_ATTEMPTS || (looks && patience-- === 0)) throw outcome.error;
    }
  }

  async finish(call: Call, machine: M, request: SpawnRequest<O, T>, origin: "found" | "created"): Promise<M | null> {
    const { finish } = this.#driver;
    if (finish === undefined) return machine;
    try {
      const whole = await finish(call, machine, request, origin);
      // It went away: neither a listing that lags nor what this process remembers says otherwise.
      if (whole === null) this.#context.writeCache.ended(this.#driver.identify(machine).id);
      return whole;
    } catch (error) {
      if (error instanceof Undone) {
        this.#context.writeCache.ended(this.#driver.identify(machine).id);
        throw error.error;
      }
      // What was created stays so, whatever failed afterwards.
      throw origin === "created" ? applied(error) : error;
    }
  }

  /** What stands there may be what an unclear creation has just begun: then its failure has no surer effect than that. */
  async #finishFound(
    call: Call,
    found: M,
    request: SpawnRequest<O, T>,
    outcome: Found<M> | Refused,
  ): Promise<M | null> {
    try {
      return await this.finish(call, found, request, "found");
    } catch (failure) {
      const isUnclear = "error" in outcome && !(isProviderError(outcome.error) && outcome.error.effect === "none");
      if (!isUnclear || !isProviderError(failure) || failure.effect !== "none" || failure.code === "CONFLICT")
        throw failure;
      this.#context.writeCache.unclear(request.key);
      throw withEffect(failure, "unknown");
    }
  }

  /** Where creations queue, what was read before is not true at the end of the queue. */
  async #sendQueued(
    call: Call,
    request: SpawnRequest<O, T>,
    begun: { readonly attempt: number; readonly previous: readonly M[] },
  ): Promise<Created<M>> {
    const { createQueue } = this.#driver;
    const find = async (): Promise<M | null> => (await this.#keys.find(call, request)).found;
    const at = { ...begun, find };
    if (createQueue === undefined) {
      return await this.#driver.create(call, request, { ...at, sent: () => undefined });
    }
    const { clock, mutex } = this.#context;
    const lookedUpAt = clock.now();
    return await mutex("create", call, async (sent) => {
      const isOld = clock.now() - lookedUpAt > createQueue.lookupMaxAgeMs;
      const found = isOld ? await find() : null;
      return found === null ? await this.#driver.create(call, request, { ...at, sent }) : { found };
    });
  }

  /** What stands there after a creation that was not accepted. Where that cannot be seen, its effect stays as it was. */
  async #look(call: Call, request: SpawnRequest<O, T>, { error }: Refused): Promise<Lookup<M>> {
    try {
      return await this.#keys.findRival(call, request);
    } catch (failure) {
      const isRefused = isProviderError(error) && error.effect === "none";
      // That the key is another's is an answer.
      if (isRefused || !isProviderError(failure) || failure.effect !== "none" || failure.code === "CONFLICT")
        throw failure;
      this.#context.writeCache.unclear(request.key);
      throw withEffect(failure, "unknown");
    }
  }

  /** The machine of an accepted creation, as it can be read. */
  async #accepted(call: Call, request: SpawnRequest<O, T>, created: Accepted<M>): Promise<M> {
    const { id } = this.#driver.identify(created.machine);
    this.#context.writeCache.made(request.key, id, created.machine);
    if (this.#driver.elects === true) return await this.#keys.elect(call, request, created.machine);
    if (created.isProvisional !== true) return created.machine;
    // It is there and paid for, whatever becomes of this read.
    return (await this.#driver.get(call, id).catch(() => null)) ?? created.machine;
  }
}
