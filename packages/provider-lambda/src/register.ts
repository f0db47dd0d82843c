import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { refusal } from "./errors.ts";
import { configSchema, describeIssue } from "./options.ts";
import { type LambdaProvider, lambdaParts } from "./provider.ts";

export type LambdaRegistration = ProviderRegistration<LambdaProvider> & { readonly provider: LambdaProvider };

/**
 * This package for a registry. The key comes from the config or LAMBDA_API_KEY, the address from the config or
 * LAMBDA_BASE_URL. INVALID_SPEC for a config that `configSchema` refuses; it calls nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<LambdaRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of lambda is wrong: ${describeIssue(parsed.error)}`);
  }
  const apiKey = parsed.data.apiKey ?? env.variables["LAMBDA_API_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw refusal("AUTH_ERROR", "register", "there is no API key for Lambda", {
      hint: "Set LAMBDA_API_KEY, or give apiKey in the config.",
    });
  }
  const baseUrl = parsed.data.baseUrl ?? env.variables["LAMBDA_BASE_URL"];
  return lambdaParts({ ...parsed.data, apiKey, baseUrl, owner: env.owner, runtime: env.runtime });
}
