import type { Capability, CapabilityNames, Named } from "./capability.ts";
import { ProviderError } from "./errors/provider-error.ts";
import type { Provider, Supporting } from "./provider.ts";

/** What a guard leaves of P when one of the names is not a single literal: nothing was proven. */
export interface Unproven {
  readonly nameIsNotASingleLiteral: true;
}
export type Guarded<P extends Provider, N extends CapabilityNames> = [N[number]] extends [Named<N>]
  ? Supporting<P, N[number]>
  : P & Unproven;

/**
 * Does the provider have all these capabilities? In the true branch their methods and options are there. The names are
 * written out; a name that comes from input is read as `provider.capabilities[name]`.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function rest(provider: Provider, id: string): Promise<void> {
 *   if (supports(provider, "hibernation")) await provider.hibernate(id);
 *   else await provider.terminate(id);
 * }
 * ```
 */
export function supports<P extends Provider, const N extends CapabilityNames>(
  provider: P | NoInfer<Guarded<P, N>>,
  ...names: N
): provider is Guarded<P, N> {
  return names.every((name) => provider.capabilities[name] === true);
}

/**
 * As `supports`, but throws UNSUPPORTED with the provider's own sentence.
 *
 * @example
 * ```ts
 * import type { Provider } from "@slipway/core";
 *
 * async function save(provider: Provider, id: string): Promise<string> {
 *   assertSupports(provider, "snapshots");
 *   return (await provider.createSnapshot(id, { key: "before-upgrade" })).id;
 * }
 * ```
 */
export function assertSupports<P extends Provider, const N extends CapabilityNames>(
  provider: P | NoInfer<Guarded<P, N>>,
  ...names: N
): asserts provider is Guarded<P, N> {
  for (const name of names) {
    if (provider.capabilities[name] !== true) throw lacks(provider, name, name);
  }
}

/** The error of a capability that is off: says what is missing and why. */
export function lacks(
  provider: Pick<Provider, "name" | "whyNot">,
  capability: Capability,
  operation: string,
): ProviderError<"UNSUPPORTED"> {
  const why = provider.whyNot[capability];
  return new ProviderError("UNSUPPORTED", {
    message: `${provider.name} does not support ${capability}${why === undefined ? "" : `: ${why}`}`,
    provider: provider.name,
    operation,
    effect: "none",
  });
}
