import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema } from "./options.ts";
import { type SlurmProvider, slurmParts } from "./provider.ts";
import { PROVIDER } from "./remote.ts";

export type SlurmRegistration = ProviderRegistration<SlurmProvider> & { readonly provider: SlurmProvider };

/** This package for a registry. slurm.conf comes from the config or SLURM_CONF. It runs nothing. */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<SlurmRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  { slurmConf: { variable: "SLURM_CONF" } },
  (options) => slurmParts(options),
);
