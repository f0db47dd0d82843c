import type { CapabilityNames, Named } from "./capability.ts";
import { type AnyProviderError, isProviderError, ProviderError } from "./errors/provider-error.ts";
import type { Instance } from "./instance.ts";
import { projectProvider } from "./project.ts";
import { CONTRACT_VERSION, type Provider } from "./provider.ts";
import type {
  HeartbeatAnswer,
  HeartbeatRequest,
  HeartbeatTask,
  ProviderHooks,
  ProviderRegistration,
  Receipt,
} from "./registration.ts";
import type { Snapshot } from "./snapshot.ts";

export type Registrations = Readonly<Record<string, ProviderRegistration>>;

/** What became of a hook. */
export type HookReceipt =
  | { readonly provider: string; readonly ok: true }
  | { readonly provider: string; readonly ok: false; readonly error: AnyProviderError };

/**
 * The providers of one program, by name. It is made by the program and handed on: there is no global one. By a written
 * name a provider is exact; by a name from data it is erased and projected.
 */
export class ProviderRegistry<const R extends Registrations = Registrations> {
  readonly #registrations: R;
  readonly #projected = new Map<string, Provider>();

  /** Throws UNSUPPORTED if a provider speaks a version of the contract that this core does not. */
  constructor(registrations: R) {
    this.#registrations = registrations;
    for (const [name, { provider }] of Object.entries(registrations)) {
      if (provider === undefined) continue;
      const version = provider.contractVersion;
      if (version === CONTRACT_VERSION || version === CONTRACT_VERSION - 1) continue;
      const older = !(version > CONTRACT_VERSION);
      throw new ProviderError("UNSUPPORTED", {
        message: `provider ${name} speaks contract ${version}, this core ${CONTRACT_VERSION} and ${CONTRACT_VERSION - 1}`,
        provider: name,
        operation: "register",
        effect: "none",
        hint: older ? `Upgrade the package of provider ${name}.` : "Upgrade it: npm install @slipway/core@latest",
      });
    }
  }

  get names(): readonly (keyof R & string)[] {
    return Object.keys(this.#registrations);
  }

  /** The exact provider. Throws NOT_FOUND where the name is not registered, or registered for clusters alone. */
  get<N extends keyof R & string>(name: N): NonNullable<R[N]["provider"]> {
    const provider = this.registration(name).provider;
    if (provider === undefined) throw this.#missing(name, "has no instances, only clusters");
    return provider;
  }

  /** All that was registered under the name. Throws NOT_FOUND. */
  registration<N extends keyof R & string>(name: N): R[N] {
    if (!Object.hasOwn(this.#registrations, name)) throw this.#missing(name, "is not registered");
    return this.#registrations[name];
  }

  /** The provider by a name from data, erased and projected; undefined if there is none. */
  lookup(name: string): Provider | undefined {
    const known = this.#projected.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(this.#registrations, name)) return undefined;
    const provider = this.#registrations[name]?.provider;
    if (provider === undefined) return undefined;
    const projected: Provider = projectProvider(provider);
    this.#projected.set(name, projected);
    return projected;
  }

  /** Every provider that has all these capabilities, erased and projected. */
  supporting<const N extends CapabilityNames>(...names: N): readonly Provider<Instance, Snapshot, Named<N>>[] {
    const found = this.names
      .map((name) => this.lookup(name))
      .filter((provider) => provider !== undefined && names.every((name) => provider.capabilities[name] === true));
    // The filter above has read every flag that the type names.
    return found as unknown as readonly Provider<Instance, Snapshot, Named<N>>[];
  }

  /** Runs every `onStartup`; never throws. */
  startup(): Promise<readonly HookReceipt[]> {
    return this.#each((hooks) => hooks.onStartup(), "onStartup");
  }

  /** Runs every `onShutdown`; never throws. */
  shutdown(): Promise<readonly HookReceipt[]> {
    return this.#each((hooks) => hooks.onShutdown(), "onShutdown");
  }

  /** One provider's heartbeat; never throws: a hook that does is a failed receipt for every task. */
  async heartbeat(name: keyof R & string, request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    try {
      const { receipts } = await this.registration(name).hooks.onHeartbeat(request);
      return { receipts: request.tasks.map((task) => receiptFor(task, receipts, name)) };
    } catch (error) {
      const failure = hookError(error, name, "onHeartbeat");
      return { receipts: request.tasks.map((task) => ({ task, ok: false, error: failure })) };
    }
  }

  #each(run: (hooks: ProviderHooks) => Promise<void>, operation: string): Promise<readonly HookReceipt[]> {
    return Promise.all(
      this.names.map(async (provider): Promise<HookReceipt> => {
        try {
          await run(this.registration(provider).hooks);
          return { provider, ok: true };
        } catch (error) {
          return { provider, ok: false, error: hookError(error, provider, operation) };
        }
      }),
    );
  }

  #missing(name: string, why: string): ProviderError<"NOT_FOUND"> {
    return new ProviderError("NOT_FOUND", {
      message: `provider ${JSON.stringify(name)} ${why}`,
      provider: name,
      operation: "register",
      effect: "none",
      hint: `Registered are: ${this.names.join(", ") || "none"}.`,
    });
  }
}

/** A hook that forgot a task must not look as if the task were done. */
function receiptFor(task: HeartbeatTask, receipts: readonly Receipt[], provider: string): Receipt {
  const found = receipts.find((receipt) => receipt.task === task);
  if (found !== undefined) return found;
  const message = `onHeartbeat of ${provider} gave no receipt for ${task}`;
  const error = new ProviderError("INTERNAL", { message, provider, operation: "onHeartbeat", effect: "unknown" });
  return { task, ok: false, error };
}

function hookError(error: unknown, provider: string, operation: string): AnyProviderError {
  if (isProviderError(error)) return error;
  return new ProviderError("INTERNAL", {
    message: `${operation} of ${provider} failed in a way that it does not know`,
    provider,
    operation,
    effect: "unknown",
    cause: error,
  });
}
