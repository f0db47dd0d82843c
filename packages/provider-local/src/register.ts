import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { failure } from "./errors.ts";
import { localHooks } from "./hooks.ts";
import { configSchema, describeIssue } from "./options.ts";
import { type LocalNetworkProvider, type LocalProvider, localParts } from "./provider.ts";

/** This package for a registry. Throws INVALID_SPEC for a config that is wrong. */
export async function register(
  config: unknown,
  env: RegisterEnvironment,
): Promise<ProviderRegistration<LocalProvider | LocalNetworkProvider>> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success)
    throw failure("bad-request", "register", `the config of local is wrong: ${describeIssue(parsed.error)}`);
  const { isolatedNetworks, ...rest } = parsed.data;
  const options = { ...rest, owner: env.owner, variables: env.variables, runtime: env.runtime };
  const parts = localParts(isolatedNetworks === true ? { ...options, isolatedNetworks } : options);
  return { provider: parts.provider, hooks: localHooks(parts.context, parts.isolatedNetworks) };
}
