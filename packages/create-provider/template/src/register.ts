import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./errors.ts";
import { configSchema, ENVIRONMENT } from "./options.ts";
import { __name__Parts, type __Name__Provider } from "./provider.ts";

export type __Name__Registration = ProviderRegistration<__Name__Provider> & { readonly provider: __Name__Provider };

/** This package for a registry and for the command. It calls nothing. */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<__Name__Registration> = registerFrom(
  PROVIDER,
  configSchema,
  ENVIRONMENT,
  __name__Parts,
);
