import type { Store } from "@slipway/control";
import type { CallOptions, RuntimeEvent } from "@slipway/core";
import { type FailureContext, reportError } from "./error-report.ts";
import { Output } from "./output.ts";
import type { Secrets } from "./printable.ts";
import { Progress } from "./progress.ts";
import { Providers } from "./providers.ts";
import { StateDirectory } from "./state-directory.ts";
import type { World } from "./world.ts";

/** The options that every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly provider?: string;
  readonly timeout?: number;
}

/** One run of one command: what it reads, asks and writes to. */
export class Session {
  readonly world: World;
  readonly secrets: Secrets;
  readonly output: Output;
  readonly progress: Progress;
  readonly state: StateDirectory;
  readonly providers: Providers;
  readonly context: FailureContext;
  readonly #flags: CommonFlags;
  #store: Promise<Store> | undefined;

  constructor(world: World, flags: CommonFlags, secrets: Secrets, context: FailureContext) {
    const json = flags.json === true;
    this.world = world;
    this.secrets = secrets;
    this.output = new Output(world, json, secrets);
    this.progress = new Progress(world, { json, verbose: flags.verbose === true, secrets });
    this.state = new StateDirectory(world);
    this.providers = new Providers(world, this.state, this.onEvent);
    this.context = context;
    this.#flags = flags;
  }

  get json(): boolean {
    return this.output.json;
  }

  /** The provider that the user named, if they did. */
  get namedProvider(): string | undefined {
    return this.#flags.provider;
  }

  /** For every call to a provider: the user's Ctrl-C and `--timeout`. */
  get call(): CallOptions {
    return {
      signal: this.world.signal,
      ...(this.#flags.timeout === undefined ? {} : { timeoutMs: this.#flags.timeout }),
    };
  }

  readonly onEvent = (event: RuntimeEvent): void => this.progress.onEvent(event);

  /** Where launches are remembered. Loaded at first use: most commands only look. */
  store(): Promise<Store> {
    this.#store ??= this.state
      .checkTrust()
      .then(() => import("@slipway/control"))
      .then(({ fileStore }) => fileStore(this.state.launches));
    return this.#store;
  }

  /** Tells of a failure that does not end the command. */
  report(error: unknown): void {
    this.progress.stop();
    const { json, secrets, context } = this;
    reportError(error, this.world, { json, verbose: this.#flags.verbose === true, secrets, context });
  }

  /** May a question be asked? */
  get interactive(): boolean {
    return this.world.stdin.isTTY && this.world.stderr.isTTY && !this.json;
  }
}
