import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./errors.ts";
import { configSchema, ENVIRONMENT } from "./options.ts";
import { type RunpodProvider, runpodParts } from "./provider.ts";

export type RunpodRegistration = ProviderRegistration<RunpodProvider> & { readonly provider: RunpodProvider };

/**
 * This package for a registry. The key comes from the config or RUNPOD_API_KEY, the address from the config or
 * RUNPOD_BASE_URL. INVALID_SPEC for a config that `configSchema` refuses; it calls nothing.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<RunpodRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  ENVIRONMENT,
  (options) => runpodParts(options),
);
