import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { refusal } from "./errors.ts";
import { configSchema, describeIssue } from "./options.ts";
import { __name__Parts, type __Name__Provider } from "./provider.ts";

export type __Name__Registration = ProviderRegistration<__Name__Provider> & { readonly provider: __Name__Provider };

/** This package for a registry and for the command. It calls nothing. */
export async function register(config: unknown, env: RegisterEnvironment): Promise<__Name__Registration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of __NAME__ is wrong: ${describeIssue(parsed.error)}`);
  }
  const { owner, runtime } = env;
  // #if http
  const apiKey = parsed.data.apiKey ?? env.variables["__NAME_ENV___API_KEY"];
  if (apiKey === undefined || apiKey === "") {
    throw refusal("AUTH_ERROR", "register", "there is no API key for __NAME__", {
      hint: "Set __NAME_ENV___API_KEY, or give apiKey in the config.",
    });
  }
  const baseUrl = parsed.data.baseUrl ?? env.variables["__NAME_ENV___BASE_URL"];
  return __name__Parts({ ...parsed.data, apiKey, baseUrl, owner, runtime });
  // #end
  // #if cli
  const command = parsed.data.command ?? env.variables["__NAME_ENV___COMMAND"];
  return __name__Parts({ ...parsed.data, command, owner, runtime });
  // #end
}
