import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema } from "./options.ts";
import { COREWEAVE, type CoreweaveProvider, coreweaveParts, KUBECONFIG_VARIABLE } from "./provider.ts";

export type CoreweaveRegistration = ProviderRegistration<CoreweaveProvider> & {
  readonly provider: CoreweaveProvider;
};

/**
 * This package for a registry. The kubeconfig comes from the config or COREWEAVE_KUBECONFIG. INVALID_SPEC for a config that
 * `configSchema` refuses; it reads and calls nothing.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<CoreweaveRegistration> = registerFrom(
  COREWEAVE,
  configSchema,
  { kubeconfig: { variable: KUBECONFIG_VARIABLE } },
  (options) => coreweaveParts(options),
);
