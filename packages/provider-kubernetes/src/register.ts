import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema } from "./options.ts";
import { type KubernetesProvider, kubernetesParts } from "./provider.ts";
import { PROVIDER } from "./remote.ts";

export type KubernetesRegistration = ProviderRegistration<KubernetesProvider> & {
  readonly provider: KubernetesProvider;
};

/**
 * This package for a registry. The kubeconfig comes from the config or KUBECONFIG. INVALID_SPEC for a config that
 * `configSchema` refuses; it reads and calls nothing.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<KubernetesRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  { kubeconfig: { variable: "KUBECONFIG" } },
  (options) => kubernetesParts(options),
);
