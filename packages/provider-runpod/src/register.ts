import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { refusal } from "./errors.ts";
import { configSchema, describeIssue } from "./options.ts";
import { type RunpodProvider, runpodParts } from "./provider.ts";

export type RunpodRegistration = ProviderRegistration<RunpodProvider> & { readonly provider: RunpodProvider };

/**
 * This package for a registry. The key comes from the config or RUNPOD_API_KEY, the address from the config or
 * RUNPOD_BASE_URL. INVALID_SPEC for a config that `configSchema` refuses; it calls nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<RunpodRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of runpod is wrong: ${describeIssue(parsed.error)}`);
  }
  const apiKey = parsed.data.apiKey ?? env.variables["RUNPOD_API_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw refusal("AUTH_ERROR", "register", "there is no API key for RunPod", {
      hint: "Set RUNPOD_API_KEY, or give apiKey in the config.",
    });
  }
  const baseUrl = parsed.data.baseUrl ?? env.variables["RUNPOD_BASE_URL"];
  return runpodParts({ ...parsed.data, apiKey, baseUrl, owner: env.owner, runtime: env.runtime });
}
