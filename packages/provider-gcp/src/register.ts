import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { registerFrom } from "@slipway/provider-kit/driver";
import { configSchema, type GcpOptions } from "./options.ts";
import { type GcpProvider, gcpParts } from "./provider.ts";
import { PROVIDER } from "./remote.ts";

export type GcpRegistration = ProviderRegistration<GcpProvider> & { readonly provider: GcpProvider };

/**
 * This package for a registry. The project comes from the config or GOOGLE_CLOUD_PROJECT, a ready token from the config or
 * GCP_ACCESS_TOKEN, the address from the config or GCP_BASE_URL. INVALID_SPEC for a config that `configSchema` refuses; it
 * calls nothing, and loads no library of Google's.
 */
export const register: (config: unknown, env: RegisterEnvironment) => Promise<GcpRegistration> = registerFrom(
  PROVIDER,
  configSchema,
  {
    project: {
      variable: "GOOGLE_CLOUD_PROJECT",
      required: {
        message: "there is no project for Google Compute Engine",
        hint: "Set GOOGLE_CLOUD_PROJECT, or give project in the config.",
      },
    },
    token: { variable: "GCP_ACCESS_TOKEN" },
    baseUrl: { variable: "GCP_BASE_URL" },
  },
  // `required` has seen to the project.
  (options) => gcpParts(options as GcpOptions),
);
