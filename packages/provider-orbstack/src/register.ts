import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { refusal } from "./errors.ts";
import { orbstackHooks } from "./hooks.ts";
import { configSchema, describeIssue } from "./options.ts";
import { type OrbstackProvider, orbstackContext, providerOf } from "./provider.ts";

export type OrbstackRegistration = ProviderRegistration<OrbstackProvider> & { readonly provider: OrbstackProvider };

/**
 * This package for a registry. The program is the config's `executable`, or SLIPWAY_ORBCTL, or OrbStack's own `orbctl`.
 * INVALID_SPEC for a config that `configSchema` refuses; it runs nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<OrbstackRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of orbstack is wrong: ${describeIssue(parsed.error)}`);
  }
  const options = { ...parsed.data, owner: env.owner, variables: env.variables, runtime: env.runtime };
  const context = orbstackContext(options);
  return { provider: providerOf(context, options), hooks: orbstackHooks(context) };
}
