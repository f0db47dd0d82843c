import { assertSupports, type BuiltinCapability, type Instance, type Provider, type Snapshot } from "@slipway/core";
import { oneProvider } from "./locate.ts";
import type { Session } from "./session.ts";

type Having<C extends BuiltinCapability> = Provider<Instance, Snapshot, C>;

/** The same provider with the capability that a command needs; UNSUPPORTED with the provider's reason otherwise. */
export function requireCapability<const C extends BuiltinCapability>(provider: Provider, capability: C): Having<C> {
  // Called through a plain signature: the guard's own proves nothing for a name that is a type parameter.
  const assert: (provider: Provider, name: BuiltinCapability) => void = assertSupports;
  assert(provider, capability);
  // The flag has just been read, and `defineProvider` has seen to it that its methods are there.
  return provider as unknown as Having<C>;
}

/** The provider that a command is about, with the capability that it needs. */
export async function supporting<const C extends BuiltinCapability>(
  session: Session,
  capability: C,
): Promise<Having<C>> {
  return requireCapability((await oneProvider(session)).provider, capability);
}
