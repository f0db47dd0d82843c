import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema } from "./options.ts";
import { KUBERNETES, type KubernetesProvider, kubernetesParts } from "./provider.ts";

export type KubernetesRegistration = ProviderRegistration<KubernetesProvider> & {
  readonly provider: KubernetesProvider;
};

/**
 * This package for a registry. The kubeconfig comes from the config or KUBECONFIG. INVALID_SPEC for a config that
 * `configSchema` refuses; it reads and calls nothing.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<KubernetesRegistration> = registerFrom(
  KUBERNETES,
  configSchema,
  { kubeconfig: { variable: "KUBECONFIG" } },
  (options) => kubernetesParts(options),
);
