import type { Capability } from "./capability.ts";
import { capabilityDefinitionsOf, capabilityRows } from "./define-capability.ts";
import type { Instance } from "./instance.ts";
import type { Provider, SpawnOptions } from "./provider.ts";
import type { Snapshot } from "./snapshot.ts";
import { lacks } from "./supports.ts";

/** The first option that is set though its capability is off. */
function lacking(provider: Provider, options: object): Capability | undefined {
  for (const [capability, row] of capabilityRows(capabilityDefinitionsOf(provider))) {
    if (provider.capabilities[capability] === true) continue;
    if (Object.keys(row.spawn).some((name) => Reflect.get(options, name) !== undefined)) return capability;
  }
  return undefined;
}

/**
 * Does the provider have every capability that these options, built at run time, need?
 *
 * @example
 * ```ts
 * import type { Capability, SpawnOptions } from "@slipway/core";
 *
 * const read: SpawnOptions<Capability> = { spec: "cpu", gpu: { count: 1 } };
 * if (accepts(provider, read)) await provider.spawn(read);
 * else console.log("this provider has no GPUs");
 * ```
 */
export function accepts<C extends Capability>(
  provider: Provider<Instance, Snapshot, C>,
  options: SpawnOptions<Capability>,
): options is SpawnOptions<C> {
  return lacking(provider, options) === undefined;
}

/**
 * As `accepts`, but throws UNSUPPORTED with the provider's own sentence.
 *
 * @example
 * ```ts
 * import type { Capability, SpawnOptions } from "@slipway/core";
 *
 * const read: SpawnOptions<Capability> = { spec: "m1.small", region: "mem-east-1" };
 * assertAccepts(provider, read);
 * const instance = await provider.spawn(read);
 * ```
 */
export function assertAccepts<C extends Capability>(
  provider: Provider<Instance, Snapshot, C>,
  options: SpawnOptions<Capability>,
): asserts options is SpawnOptions<C> {
  const capability = lacking(provider, options);
  if (capability !== undefined) throw lacks(provider, capability, "spawn");
}
