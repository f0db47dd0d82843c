import { type Capability, type CapabilityFlags, type LackedMethods } from "./capability.ts";
import { BUILTIN_CAPABILITIES } from "./capability-table.ts";
import { systemClock } from "./clock.ts";
import { attachDefinitions, type CapabilityDefinition, capabilityRows } from "./define-capability.ts";
import type { CleanupMethods } from "./extras.ts";
import { guardCalls, guardCleanup } from "./guard-calls.ts";
import { isOwner } from "./key.ts";
import { membersOf } from "./members.ts";
import { coreOperations } from "./operations.ts";
import { type CapabilitiesOf, CONTRACT_VERSION, type Provider, type WhyNot } from "./provider.ts";
import { guardedListener, type Runtime } from "./runtime.ts";

/** The flags of a definition: those that the type names must be `true`, every other may be written as `false`. */
export type DeclaredFlags<C extends Capability> = { readonly [K in C]: true } & {
  readonly [K in Exclude<Capability, C>]?: false;
};

/** A provider as its author writes it. What is off may be left out; whyNot gives each of those its sentence. */
export type ProviderDefinition<P extends Provider> = Omit<
  P,
  "capabilities" | "contractVersion" | "whyNot" | "refuses"
> &
  LackedMethods<CapabilitiesOf<P>> & {
    readonly capabilities: DeclaredFlags<CapabilitiesOf<P>>;
    readonly whyNot?: WhyNot<CapabilitiesOf<P>>;
    readonly refuses?: P["refuses"];
  };

/** What the body reads of any definition. */
type AnyDefinition = Pick<Provider, "name" | "owner" | "limits"> & {
  readonly capabilities: Readonly<Record<string, boolean | undefined>>;
  readonly whyNot?: Readonly<Record<string, string | undefined>>;
  readonly refuses?: Readonly<Record<string, string | undefined>>;
};

export interface DefineOptions {
  /** Where `call.start` and `call.end` go, and the clock that `timeoutMs` is counted on. */
  readonly runtime?: Partial<Pick<Runtime, "clock" | "onEvent">> | undefined;
  /** Capabilities of third parties that this provider has. */
  readonly capabilityDefinitions?: readonly CapabilityDefinition[] | undefined;
  /** Names of spawn options of its own; any other name that the contract does not know is INVALID_SPEC. */
  readonly ownOptions?: readonly string[] | undefined;
}

/**
 * Makes a provider from its definition. The type is written (`defineProvider<LambdaProvider>({ … })`) and demands the
 * flags and the methods. At run time it also: fills in every flag, refuses what is off, refused or malformed before any
 * call, gives a spawn without key a UUID, turns `timeoutMs` into the signal, makes every failure a ProviderError, and
 * sends `call.start` and `call.end`.
 *
 * @example
 * ```ts
 * import type { Provider, ProviderDefinition } from "@slipway/core";
 *
 * export const acme = (definition: ProviderDefinition<Provider>): Provider => defineProvider<Provider>(definition);
 * ```
 */
export function defineProvider<P extends Provider>(
  definition: ProviderDefinition<NoInfer<P>>,
  options?: DefineOptions,
): P;
export function defineProvider(written: object, options: DefineOptions = {}): object {
  // The signature above demands all of these of every definition; a deferred Omit hides them from its own body.
  const definition = written as AnyDefinition;
  const members = membersOf(definition);
  const { name, owner, limits } = definition;
  const capabilities = flagsOf(definition.capabilities);
  const definitions = options.capabilityDefinitions ?? [];
  const rows = capabilityRows(definitions);

  if (!isOwner(owner)) throw new TypeError(`${name}: owner must match [a-z0-9-]{1,63}`);
  for (const method of [...Object.keys(coreOperations), "generateBootstrap"]) {
    if (typeof members.get(method) !== "function") throw new TypeError(`${name} has no ${method}`);
  }
  for (const [capability, on] of Object.entries(capabilities)) {
    if (!on || rows.has(capability as Capability)) continue;
    throw new TypeError(`${name} declares ${capability}, which neither core nor its capabilityDefinitions describe`);
  }
  for (const [capability, row] of rows) {
    for (const method of Object.keys(row.methods)) {
      const there = typeof members.get(method) === "function";
      if (there === (capabilities[capability] === true)) continue;
      throw new TypeError(
        there
          ? `${name} has ${method}, but declares ${capability} off`
          : `${name} declares ${capability}, but has no ${method}`,
      );
    }
  }

  members.set("capabilities", capabilities);
  members.set("contractVersion", CONTRACT_VERSION);
  members.set("whyNot", definition.whyNot ?? {});
  members.set("refuses", definition.refuses ?? {});
  guardCalls(members, {
    name,
    limits,
    capabilities,
    whyNot: definition.whyNot ?? {},
    refuses: definition.refuses ?? {},
    rows,
    ownOptions: new Set(options.ownOptions ?? []),
    clock: options.runtime?.clock ?? systemClock,
    onEvent: options.runtime?.onEvent === undefined ? undefined : guardedListener(options.runtime.onEvent),
  });
  const provider = Object.fromEntries(members);
  attachDefinitions(provider, definitions);
  // A P: the definition's type demanded every member, and the loop above has checked the capabilities' own.
  return Object.freeze(provider);
}

/**
 * Makes the `cleanup` of a registration: puts the checks, the time limit, the error frame and the events around its
 * methods that `defineProvider` puts around a provider's own.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * export const cleanupOf = (provider: Provider) =>
 *   defineCleanup(provider, {
 *     planCleanup: async () => [],
 *     removeLeftover: async () => "removed",
 *   });
 * ```
 */
export function defineCleanup(
  { name, limits }: Pick<Provider, "name" | "limits">,
  methods: CleanupMethods,
  { runtime }: { readonly runtime?: Partial<Runtime> | undefined } = {},
): CleanupMethods {
  return guardCleanup(methods, {
    ...{ name, limits, whyNot: {}, clock: runtime?.clock ?? systemClock },
    onEvent: runtime?.onEvent === undefined ? undefined : guardedListener(runtime.onEvent),
  });
}

function flagsOf(declared: Readonly<Record<string, boolean | undefined>>): CapabilityFlags {
  const flags: Record<string, boolean> = {};
  for (const capability of BUILTIN_CAPABILITIES) flags[capability] = declared[capability] === true;
  for (const [capability, on] of Object.entries(declared)) flags[capability] = on === true;
  // Every built-in flag was set in the first loop.
  return Object.freeze(flags) as unknown as CapabilityFlags;
}
