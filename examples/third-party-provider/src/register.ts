import type { ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { refusal } from "./errors.ts";
import { configSchema, describeIssue } from "./options.ts";
import { type SshHostsProvider, sshHostsParts } from "./provider.ts";

export type SshHostsRegistration = ProviderRegistration<SshHostsProvider> & { readonly provider: SshHostsProvider };

/** This package for a registry and for the command. It calls nothing. */
export async function register(config: unknown, env: RegisterEnvironment): Promise<SshHostsRegistration> {
  const parsed = configSchema.safeParse(config ?? {});
  if (!parsed.success) {
    throw refusal("INVALID_SPEC", "register", `the config of ssh-hosts is wrong: ${describeIssue(parsed.error)}`, {
      hint: 'In slipway.config: providers: { "ssh-hosts": { config: { hosts: [{ name: "me@machine" }] } } }',
    });
  }
  return sshHostsParts({ ...parsed.data, owner: env.owner, runtime: env.runtime });
}
