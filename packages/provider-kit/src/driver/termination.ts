import { abortError, type Instance } from "@slipway/core";
import type { Call, Driver } from "./driver.ts";
import { type AnySpawnOptions, type DriverContext, pause } from "./driver-context.ts";
import type { LifeCycleRefusals } from "./life-cycle-refusals.ts";

const UNSEEN_PAUSE_MS = 1_000;

/** Terminating what has an id: believed only once a read, or a write that could not be mistaken, has said so. */
export class Termination<M, I extends Instance, O extends AnySpawnOptions, T> {
  readonly #driver: Driver<M, I, O, T>;
  readonly #context: DriverContext<M>;
  readonly #refusals: LifeCycleRefusals;

  constructor(driver: Driver<M, I, O, T>, context: DriverContext<M>, refusals: LifeCycleRefusals) {
    this.#driver = driver;
    this.#context = context;
    this.#refusals = refusals;
  }

  async terminate(call: Call, id: string): Promise<void> {
    const [driver, context] = [this.#driver, this.#context];
    if (!driver.isId(id)) return;
    await context.mutex(`terminate ${driver.nativeIdOf?.(id) ?? id}`, call, async () => {
      if (context.writeCache.isEnded(id)) return;
      for (;;) {
        const asOf = context.clock.now();
        const machine = await (driver.peek ?? driver.get)(call, id);
        if (machine !== null) {
          const { status, ownership } = driver.identify(machine);
          // Whoever ended it: a listing may not show that yet.
          if (status === "terminating" || status === "terminated") break;
          if (ownership === null) throw this.#refusals.unmanaged(call, id);
        }
        // Also what no read shows: it may be so new that only a write finds it.
        const outcome = await driver.destroy(call, id, machine);
        if (typeof outcome === "object" && !(await this.#isEnding(call, id))) throw outcome.unclear;
        if (outcome !== "gone") break;
        const isNew = context.writeCache.ofId(id, asOf) !== undefined;
        if (isNew && driver.waitsForUnseen !== true) throw this.#refusals.unseen(call, id);
        // What a read has just shown is not gone because one answer says so: another read decides.
        if (machine !== null && !(await this.#isEnding(call, id, "gone"))) throw this.#refusals.contradicted(call, id);
        if (machine !== null) break;
        // Another process may have made it just now: where no read and no write knows it yet, that proves no end.
        if (!isNew) return;
        await pause(this.#context, call, UNSEEN_PAUSE_MS, "none");
      }
      context.writeCache.ended(id);
    });
  }

  /** After an answer that may mean that it is ending: another process may have begun it so shortly ago that reads lag. */
  async #isEnding(call: Call, id: string, word?: "gone"): Promise<boolean> {
    const looked = async (isLast: boolean): Promise<boolean> => {
      const asOf = this.#context.clock.now();
      try {
        const now = await this.#driver.get(call, id);
        // No read may show it yet, whoever made it: then its absence is a proof only after the lag, or beside the remote's word.
        if (now === null) return isLast || (word === "gone" && this.#context.writeCache.ofId(id, asOf) === undefined);
        return ["terminating", "terminated"].includes(this.#driver.identify(now).status);
      } catch {
        // It cannot be read: then the answer to the write is all that is known.
        this.#assertWanted(call);
        return false;
      }
    };
    if (await looked(false)) return true;
    await pause(this.#context, call, this.#context.readAfterWriteMs, "unknown");
    return await looked(true);
  }

  #assertWanted({ operation, signal }: Call): void {
    if (signal?.aborted === true)
      throw abortError(signal, { provider: this.#context.provider, operation, effect: "unknown" });
  }
}
