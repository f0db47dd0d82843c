import {
  type BootstrapMethods,
  type BootstrapState,
  type BootstrapTruth,
  type CallOptions,
  canReadBootstrap,
  type Instance,
  isProviderError,
  type Provider,
  ProviderError,
  projectProvider,
  systemClock,
} from "@slipway/core";
import {
  type Look,
  lastLines,
  linesAtEnd,
  lookerAt,
  mendsItself,
  type Poll,
  startPoll,
  type WaitOptions,
} from "./poll.ts";
import { sharedLooks } from "./shared-looks.ts";

/** Who knows how a bootstrap went, beside the provider: a session that reads it on the instance, or reports. */
export interface BootstrapSource {
  /** For messages, as `the session`. */
  readonly name: string;
  /** Null: it does not know. A failure that may pass is waited out. `instance`: as it was seen last. */
  readonly readBootstrap: (id: string, call?: CallOptions, instance?: Instance) => Promise<BootstrapTruth | null>;
}

export type BootstrapSources = BootstrapSource | readonly [BootstrapSource, ...BootstrapSource[]];

/** An instance whose bootstrap has succeeded. */
export type BootstrappedInstance = Instance & { readonly bootstrap: BootstrapState };

/** What `waitForBootstrap` takes after the id: a source, unless the provider's type has `readBootstrap`. */
export type BootstrapWaitArguments<P> = P extends BootstrapMethods
  ? [options?: WaitOptions & { readonly from?: BootstrapSources | undefined }]
  : [options: WaitOptions & { readonly from: BootstrapSources }];

const DEFAULT_TIMEOUT_MS = 600_000;
const OPERATION = "waitForBootstrap";

/**
 * Waits until the bootstrap has succeeded, as the first one reports it that knows its end: the provider, then the
 * sources in their order. Rejects with INVALID_STATE, the exit code and the last lines if it failed or the instance
 * ended; with TIMEOUT and the last lines after ten minutes or `timeoutMs`; with UNSUPPORTED if the instance is running and
 * no source reports a bootstrap in it. Changes nothing: the caller decides whether to terminate.
 *
 * @example
 * ```ts
 * const { id } = await provider.spawn({ key: "worker-1", spec: "m1.small", bootstrap: { script: "echo ready" } });
 * const { bootstrap } = await waitForBootstrap(provider, id);
 * console.log(bootstrap.state);
 * ```
 */
export async function waitForBootstrap<P extends Provider>(
  provider: P,
  id: string,
  ...rest: BootstrapWaitArguments<P>
): Promise<BootstrappedInstance> {
  const options: WaitOptions & { readonly from?: BootstrapSources | undefined } = rest[0] ?? {};
  return await new BootstrapWait(provider, id, sourcesOf(provider, options.from), options).run();
}

interface Sources {
  /** The provider itself, asked first: it needs no way into the instance. */
  readonly own: readonly BootstrapSource[];
  readonly given: readonly BootstrapSource[];
}

function sourcesOf(provider: Provider, from: BootstrapSources | undefined): Sources {
  // It is asked as a provider is: with the id and the call alone.
  const own = canReadBootstrap(provider)
    ? [{ name: provider.name, readBootstrap: (id: string, call?: CallOptions) => provider.readBootstrap(id, call) }]
    : [];
  return { own, given: from === undefined ? [] : "name" in from ? [from] : from };
}

class BootstrapWait {
  readonly #provider: Provider;
  readonly #id: string;
  readonly #sources: Sources;
  readonly #poll: Poll;
  readonly #leave: () => void;
  readonly #lookAt: Look;
  readonly #begun: number;
  #runningSince: number | null = null;
  /** What was known last, for the message of a wait that ends without an answer. */
  #last: BootstrapTruth | null = null;

  constructor(exact: Provider, id: string, sources: Sources, options: WaitOptions) {
    const provider: Provider = projectProvider<Provider>(exact);
    const looks = sharedLooks(exact, options.clock ?? systemClock);
    const poll = startPoll(provider.name, OPERATION, options, DEFAULT_TIMEOUT_MS, (ms) => looks.align(ms));
    this.#provider = provider;
    this.#id = id;
    this.#sources = sources;
    this.#poll = poll;
    this.#leave = looks.enter();
    this.#begun = poll.clock.now();
    // Of one that has begun, `get` may know more of the bootstrap than a listing.
    const isFinal = ({ status }: Instance): boolean => status !== "pending";
    this.#lookAt = lookerAt(provider, id, poll, looks, { mustShow: () => this.#mustShow(), isFinal });
  }

  #mustShow(): boolean {
    return this.#poll.clock.now() - this.#begun >= this.#provider.limits.readAfterWriteMs;
  }

  async run(): Promise<BootstrappedInstance> {
    try {
      for (let look = 0; ; look += 1) {
        this.#poll.check();
        const seen = await this.#look();
        if (typeof seen !== "number") return seen;
        await this.#poll.pause(look, undefined, seen);
      }
    } catch (error) {
      if (!isProviderError(error, "TIMEOUT")) throw error;
      throw await this.#failure("TIMEOUT", `${this.#id} did not finish its bootstrap in time`, error);
    } finally {
      this.#leave();
      this.#poll.release();
    }
  }

  /** The instance that is ready, or the least number of milliseconds until the next look. */
  async #look(): Promise<BootstrappedInstance | number> {
    const id = this.#id;
    // A read that was begun too early proves nothing, however late it is answered.
    const isDue = this.#mustShow();
    const instance = await this.#lookAt();
    if (typeof instance === "number") return instance;
    if (instance === null) {
      if (!isDue) return 0;
      throw this.#error(
        "NOT_FOUND",
        `${id} will not finish its bootstrap: ${this.#provider.name} has no such instance`,
      );
    }
    const { truth, pauseMs } = await this.#ask(instance);
    if (truth !== null) this.#last = truth;
    if (truth?.state === "succeeded") return { ...instance, bootstrap: stateOf(truth) };
    if (truth?.state === "failed") {
      const code = truth.exitCode === undefined ? "" : ` with exit code ${truth.exitCode}`;
      throw await this.#failure("INVALID_STATE", `${id} will not finish its bootstrap: it failed${code}`);
    }
    if (instance.status === "error" || instance.status === "terminated") {
      const { status, statusReason: why } = instance;
      const reason = why === undefined ? "" : ` (${why.code}: ${why.message})`;
      throw await this.#failure("INVALID_STATE", `${id} will not finish its bootstrap: it is ${status}${reason}`);
    }
    if (truth === null && pauseMs === null) this.#refuseSilence(instance);
    return pauseMs ?? 0;
  }

  /** The first final answer, else the first answer. `pauseMs` is a number if a source could not be asked now. */
  async #ask(instance: Instance): Promise<{ readonly truth: BootstrapTruth | null; readonly pauseMs: number | null }> {
    const told = instance.bootstrap ?? null;
    if (told?.state === "succeeded") return { truth: told, pauseMs: null };
    let truth: BootstrapTruth | null = told;
    let pauseMs: number | null = null;
    for (const source of this.#sourcesFor(instance)) {
      const answer = await this.#attempt(() => source.readBootstrap(this.#id, { signal: this.#poll.signal }, instance));
      if (typeof answer === "number") {
        pauseMs = Math.max(pauseMs ?? 0, answer);
        continue;
      }
      if (answer !== null && (truth === null || isFinal(answer))) truth = answer;
      if (truth !== null && isFinal(truth)) break;
    }
    return { truth, pauseMs };
  }

  #sourcesFor({ status, bootstrap }: Instance): readonly BootstrapSource[] {
    const { own, given } = this.#sources;
    // While it runs, `get` has said all that the provider knows; of one that failed the last lines are missing.
    const asksOwn = bootstrap === undefined || isFinal(bootstrap);
    // Nobody gets into an instance that has not begun, or has ended: an exec there is INVALID_STATE.
    const asksOthers = status !== "pending" && status !== "error" && status !== "terminated";
    return [...(asksOwn ? own : []), ...(asksOthers ? given : [])];
  }

  async #attempt<T>(read: () => Promise<T>): Promise<T | number> {
    try {
      return await read();
    } catch (error) {
      this.#poll.check();
      const waitMs = mendsItself(error);
      if (waitMs === null) throw error;
      return waitMs;
    }
  }

  #refuseSilence({ status }: Instance): void {
    if (status !== "running") return;
    const now = this.#poll.clock.now();
    this.#runningSince ??= now;
    if (now - this.#runningSince < this.#provider.limits.readAfterWriteMs) return;
    const asked = this.#sources.given.map(({ name }) => name);
    const others = asked.length === 0 ? "" : `, nor does ${asked.join(" or ")}`;
    throw this.#error(
      "UNSUPPORTED",
      `${this.#id} is running, but provider ${this.#provider.name} does not report bootstrap status${others}`,
      {
        hint: "If it was spawned with a bootstrap, pass a source: from: bootstrapReports(…), where it was launched with them, or sessionBootstrap(session) of @slipway/reach, which reads it on the instance.",
      },
    );
  }

  async #failure(code: "INVALID_STATE" | "TIMEOUT", message: string, cause?: unknown): Promise<ProviderError> {
    const known = this.#last?.lastLines;
    const lines = known === undefined ? await lastLines(this.#provider, this.#id, this.#poll.clock) : linesAtEnd(known);
    const hint = "It may still cost money: terminate it when you have seen enough.";
    return this.#error(code, `${message}${lines}`, { cause, hint });
  }

  #error(
    code: "INVALID_STATE" | "NOT_FOUND" | "TIMEOUT" | "UNSUPPORTED",
    message: string,
    more: { readonly hint?: string; readonly cause?: unknown } = {},
  ): ProviderError {
    const provider = this.#provider.name;
    return new ProviderError(code, {
      ...{ message, provider, operation: OPERATION, effect: "none", native: { id: this.#id } },
      ...more,
    });
  }
}

const isFinal = ({ state }: BootstrapState): boolean => state === "succeeded" || state === "failed";

function stateOf({ state, exitCode }: BootstrapTruth): BootstrapState {
  return exitCode === undefined ? { state } : { state, exitCode };
}
