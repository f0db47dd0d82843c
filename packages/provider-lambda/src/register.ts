import type { CleanupMethods, ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema, ENVIRONMENT } from "./options.ts";
import { type LambdaProvider, lambdaParts } from "./provider.ts";
import { PROVIDER } from "./remote.ts";

export type LambdaRegistration = ProviderRegistration<LambdaProvider> & {
  readonly provider: LambdaProvider;
  readonly cleanup: CleanupMethods;
};

/**
 * This package for a registry. The key comes from the config or LAMBDA_API_KEY, the address from the config or
 * LAMBDA_BASE_URL. INVALID_SPEC for a config that `configSchema` refuses; it calls nothing.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<LambdaRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  ENVIRONMENT,
  (options) => lambdaParts(options),
);
