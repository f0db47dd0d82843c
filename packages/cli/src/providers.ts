import { fileURLToPath } from "node:url";
import {
  deadline,
  type HookReceipt,
  type Provider,
  type ProviderRegistration,
  ProviderRegistry,
  type Receipt,
  type Register,
  type Runtime,
} from "@slipway/core";
import { CliError, nearestName } from "./cli-error.ts";
import { type Config, firstLine, isRecord, type ReadOptions, readConfig } from "./config-file.ts";
import { refuseForeignOwner, trustedOwners } from "./file-owner.ts";
import { KNOWN_PROVIDERS } from "./known-providers.ts";
import { findProviderPackages, type ProviderPackage } from "./provider-packages.ts";
import type { StateDirectory } from "./state-directory.ts";
import type { World } from "./world.ts";

const DEFAULT_PROVIDER = "local";
// A remote that needs longer to say that it is there is not there.
const HEALTH_MS = 15_000;
const SHUTDOWN_MS = 5000;

/** A provider that is ready to be called. */
export interface LoadedProvider {
  readonly package: ProviderPackage;
  /** Projected: the contract, and no more. */
  readonly provider: Provider;
  readonly registration: ProviderRegistration;
}

/** The providers that this directory can see. A package is imported when its provider is asked for, not before. */
export class Providers {
  readonly #world: World;
  readonly #state: StateDirectory;
  readonly #onEvent: Runtime["onEvent"];
  #onRemoteDate: Runtime["onRemoteDate"];
  readonly #reading: ReadOptions;
  readonly #registries = new Map<
    string,
    Promise<{ readonly loaded: LoadedProvider; readonly registry: ProviderRegistry }>
  >();
  #config: Promise<Config> | undefined;
  #packages: Promise<readonly ProviderPackage[]> | undefined;

  constructor(
    world: World,
    state: StateDirectory,
    onEvent: Runtime["onEvent"],
    reading: ReadOptions = { runsCode: true },
  ) {
    this.#world = world;
    this.#state = state;
    this.#onEvent = onEvent;
    this.#reading = reading;
  }

  /** Who hears of the remotes' clocks, for providers that are loaded from now on. */
  hearDates(onRemoteDate: Runtime["onRemoteDate"]): void {
    this.#onRemoteDate = onRemoteDate;
  }

  config(): Promise<Config> {
    this.#config ??= readConfig(this.#world, this.#reading);
    return this.#config;
  }

  packages(): Promise<readonly ProviderPackage[]> {
    this.#packages ??= this.config().then((config) => findProviderPackages(this.#world, config));
    return this.#packages;
  }

  /** The provider that is meant where none is named. */
  async defaultName(): Promise<string> {
    return (await this.config()).provider ?? DEFAULT_PROVIDER;
  }

  /** The names of all that were found, each once. */
  async found(): Promise<readonly string[]> {
    return [...new Set((await this.packages()).map(({ name }) => name))];
  }

  /** The default, and all that were found. A default that is not there is among them: using it says what is missing. */
  async names(): Promise<readonly string[]> {
    return [...new Set([await this.defaultName(), ...(await this.found())])];
  }

  /** The owner, if it is known here without making one. */
  async knownOwner(): Promise<string | null> {
    return (await this.config()).owner ?? this.#state.knownOwner();
  }

  async owner(): Promise<string> {
    return (await this.config()).owner ?? this.#state.owner();
  }

  /** The provider, ready to be called. Throws what is in the way, with the line that mends it. */
  async load(named: string): Promise<LoadedProvider> {
    const name = await this.#nameOf(named);
    let entry = this.#registries.get(name);
    if (entry === undefined) {
      entry = this.#register(name);
      this.#registries.set(name, entry);
    }
    return (await entry).loaded;
  }

  /** A package's name means its provider, where no provider is called so itself. */
  async #nameOf(named: string): Promise<string> {
    const packages = await this.packages();
    if (packages.some(({ name }) => name === named)) return named;
    return packages.find(({ packageName }) => packageName === named)?.name ?? named;
  }

  /** One provider's `onStartup`; never throws for the hook's own failure. */
  async startup(name: string): Promise<readonly HookReceipt[]> {
    const { package: found } = await this.load(name);
    return (await this.#registries.get(found.name))?.registry.startup() ?? [];
  }

  /** What the provider says of itself and its remote; never throws for the hook's own failure. */
  async health(name: string): Promise<readonly Receipt[]> {
    await this.load(name);
    const deadline = new Date(this.#world.clock.now() + HEALTH_MS).toISOString();
    const answer = await (await this.#registries.get(name))?.registry.heartbeat(name, {
      tasks: ["health_check"],
      deadline,
    });
    return answer?.receipts ?? [];
  }

  /** Lets go of what the loaded providers hold. What fails here is not worth failing a command that is done. */
  async shutdown(): Promise<void> {
    const registered = await Promise.allSettled(this.#registries.values());
    const shutdowns = registered.flatMap((result) =>
      result.status === "fulfilled" ? [result.value.registry.shutdown()] : [],
    );
    // Nor is it worth waiting for what does not end.
    const limit = deadline(this.#world.clock, SHUTDOWN_MS);
    const over = new Promise((resolve) => limit.signal.addEventListener("abort", resolve, { once: true }));
    await Promise.race([Promise.all(shutdowns), over]);
    limit.release();
  }

  async #register(name: string): Promise<{ readonly loaded: LoadedProvider; readonly registry: ProviderRegistry }> {
    const package_ = await this.choose(name);
    const register = await this.#importRegister(package_);
    const { providers } = await this.config();
    const entry = Object.hasOwn(providers, name) ? providers[name] : undefined;
    const registration = await register(entry?.config ?? {}, {
      owner: await this.owner(),
      variables: this.#world.env,
      runtime: {
        clock: this.#world.clock,
        onEvent: this.#onEvent,
        ...(this.#onRemoteDate === undefined ? {} : { onRemoteDate: this.#onRemoteDate }),
      },
    });
    const registry = new ProviderRegistry({ [name]: registration });
    const provider = registry.lookup(name);
    if (provider === undefined) {
      throw new CliError("BROKEN_PROVIDER", `${package_.packageName} offers clusters only, and no instances`);
    }
    if (provider.name !== name) {
      throw new CliError("BROKEN_PROVIDER", `${package_.packageName} made provider ${provider.name}, not ${name}`);
    }
    return { loaded: { package: package_, provider, registration }, registry };
  }

  /** The package that offers the provider, not loaded yet. Throws what is in the way, with the line that mends it. */
  async choose(name: string): Promise<ProviderPackage> {
    const candidates = (await this.packages()).filter((one) => one.name === name);
    // What the config names itself is a choice; else two packages of one name are nobody's to choose between.
    const chosen = candidates.find(({ origin }) => origin === "config") ?? candidates[0];
    if (chosen === undefined) throw unknownProvider(name, await this.found());
    const [, second] = candidates;
    if (second !== undefined && chosen.origin !== "config") {
      throw new CliError(
        "AMBIGUOUS_PROVIDER",
        `provider ${name} is offered by ${candidates.map(({ packageName }) => packageName).join(" and ")}`,
        `Say which in slipway.config: providers: { ${JSON.stringify(name)}: { package: ${JSON.stringify(chosen.packageName)} } }`,
      );
    }
    if (chosen.problem !== undefined)
      throw new CliError("BROKEN_PROVIDER", chosen.problem.message, chosen.problem.hint);
    return chosen;
  }

  /** A module of the package; its main one if no other is named. */
  async importModule({ specifier, packageName }: ProviderPackage, url: string = specifier): Promise<unknown> {
    if (url.startsWith("file:")) {
      await refuseForeignOwner(fileURLToPath(url), trustedOwners(this.#world, await this.config()));
    }
    try {
      return await this.#world.loadModule(url);
    } catch (error) {
      const why = error instanceof Error ? firstLine(error.message) : "it threw";
      throw new CliError(
        "BROKEN_PROVIDER",
        `${packageName} cannot be loaded: ${why}`,
        packageName.startsWith(".") ? undefined : `Install it again: npm install ${packageName}`,
        error,
      );
    }
  }

  async #importRegister(package_: ProviderPackage): Promise<Register> {
    const module = await this.importModule(package_);
    const register = isRecord(module) || typeof module === "object" ? Reflect.get(module ?? {}, "register") : undefined;
    if (typeof register !== "function") {
      throw new CliError("BROKEN_PROVIDER", `${package_.packageName} exports no register function`);
    }
    // The contract's one name for it; what it answers is checked by the registry.
    return register as Register;
  }
}

function unknownProvider(name: string, found: readonly string[]): CliError {
  if (KNOWN_PROVIDERS.includes(name)) {
    return new CliError(
      "MISSING_PROVIDER",
      `provider ${name} is not installed`,
      `Install it: npm install @slipway/provider-${name}`,
    );
  }
  const meant = nearestName(name, [...found, ...KNOWN_PROVIDERS]);
  return new CliError(
    "UNKNOWN_PROVIDER",
    `there is no provider ${JSON.stringify(name)}`,
    meant === undefined
      ? `Found are: ${found.join(", ")}. Another package is found if the nearest package.json depends on it, or if it is installed beside slipway.`
      : `Did you mean ${meant}?`,
  );
}
