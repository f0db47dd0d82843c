import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { checkedConfig } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./errors.ts";
import { configSchema } from "./options.ts";
import { type OrbstackProvider, orbstackContext, partsOf } from "./provider.ts";

export type OrbstackRegistration = ProviderRegistration<OrbstackProvider> & { readonly provider: OrbstackProvider };

/**
 * This package for a registry. The program is the config's `executable`, or SLIPWAY_ORBCTL, or OrbStack's own `orbctl`.
 * INVALID_SPEC for a config that `configSchema` refuses; it runs nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<OrbstackRegistration> {
  const { owner, variables, runtime } = env;
  const options = { ...checkedConfig(PROVIDER, configSchema, config ?? {}), owner, variables, runtime };
  return partsOf(orbstackContext(options), options);
}
