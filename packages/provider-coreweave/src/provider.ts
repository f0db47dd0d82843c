import { canListOfferings, type OfferingMethods, type ProviderHooks } from "@slipway/core";
import { checkedConfig } from "@slipway/provider-kit/driver";
import { type KubernetesProvider, kubernetesParts } from "@slipway/provider-kubernetes";
import { type CoreweaveOptions, configSchema } from "./options.ts";
import { COREWEAVE_PROFILE } from "./profile.ts";

export const COREWEAVE = "coreweave";
/** Its own: KUBECONFIG may name any cluster, and then a command would ask CoreWeave's provider about it as well. */
export const KUBECONFIG_VARIABLE = "COREWEAVE_KUBECONFIG";

export type CoreweaveProvider = KubernetesProvider & OfferingMethods;

/**
 * Pods on CoreWeave Kubernetes Service. Throws INVALID_SPEC for options that are wrong; it calls nothing.
 *
 * @example
 * ```ts
 * const cluster = coreweave({ owner: "me", context: "prod" });
 * const { id } = await cluster.spawn({ key: "worker-1", image: "docker.io/library/debian:13" });
 * await cluster.terminate(id);
 * ```
 */
export function coreweave(options: CoreweaveOptions): CoreweaveProvider {
  return coreweaveParts(options).provider;
}

/** The provider and its hooks, over one client for each context. */
export function coreweaveParts({ owner, runtime, ...given }: CoreweaveOptions): {
  readonly provider: CoreweaveProvider;
  readonly hooks: ProviderHooks;
} {
  const config = checkedConfig(COREWEAVE, configSchema, given);
  const flavour = { name: COREWEAVE, profile: COREWEAVE_PROFILE, variable: KUBECONFIG_VARIABLE };
  const { provider, hooks } = kubernetesParts({ ...config, owner, runtime }, flavour);
  if (!canListOfferings(provider)) throw new TypeError("a profile with a catalogue has offerings");
  return { provider, hooks };
}
