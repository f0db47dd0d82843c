import type { ClusterProvider, ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { checkedConfig } from "@slipway/provider-kit/driver";
import { appleContainerCluster } from "./cluster/index.ts";
import { PROVIDER } from "./errors.ts";
import { configSchema } from "./options.ts";
import {
  type AppleContainerNetworkProvider,
  type AppleContainerProvider,
  appleContainerContext,
  partsOf,
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
  const { networks, ...rest } = checkedConfig(PROVIDER, configSchema, config ?? {});
  const options = { ...rest, owner: env.owner, variables: env.variables, runtime: env.runtime };
  const context = appleContainerContext(networks === true ? { ...options, networks } : options);
  return {
    ...partsOf(context, options),
    cluster: appleContainerCluster(context),
  };
}
