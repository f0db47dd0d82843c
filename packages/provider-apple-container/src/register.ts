import type { ClusterProvider, ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { appleContainerCluster } from "./cluster/index.ts";
import { refusal } from "./errors.ts";
import { appleContainerHooks } from "./hooks.ts";
import { configSchema, describeIssue } from "./options.ts";
import {
  type AppleContainerNetworkProvider,
  type AppleContainerProvider,
  appleContainerContext,
  providerOf,
} from "./provider.ts";

export type AppleContainerRegistration = ProviderRegistration<
  AppleContainerProvider | AppleContainerNetworkProvider
> & {
  readonly provider: AppleContainerProvider | AppleContainerNetworkProvider;
  readonly cluster: ClusterProvider;
};

/**
 * This package for a registry. The program is the config's `executable`, or SLIPWAY_CONTAINER, or `container` on the PATH.
 * INVALID_SPEC for a config that `configSchema` refuses; it runs nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<AppleContainerRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of apple-container is wrong: ${describeIssue(parsed.error)}`);
  }
  const { networks, ...rest } = parsed.data;
  const options = { ...rest, owner: env.owner, variables: env.variables, runtime: env.runtime };
  const context = appleContainerContext(networks === true ? { ...options, networks } : options);
  return {
    provider: providerOf(context, options),
    cluster: appleContainerCluster(context),
    hooks: appleContainerHooks(context),
  };
}
