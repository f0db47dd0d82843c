import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./errors.ts";
import { configSchema } from "./options.ts";
import { type SshHostsProvider, sshHostsParts } from "./provider.ts";

export type SshHostsRegistration = ProviderRegistration<SshHostsProvider> & { readonly provider: SshHostsProvider };

/** This package for a registry and for the command. It calls nothing. */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<SshHostsRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  {},
  sshHostsParts,
);
