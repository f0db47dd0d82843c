import { type Provider, type ProviderHooks, runtimeDefaults, type Snapshot, type WhyNot } from "@slipway/core";
import { checkedConfig, providerFromDriver } from "@slipway/provider-kit/driver";
import { kubernetesClient } from "./client.ts";
import { kubernetesDriver, MAX_BOOTSTRAP_BYTES, type Machine } from "./driver.ts";
import type { KubernetesInstance } from "./instance.ts";
import { configSchema, type KubernetesOptions } from "./options.ts";
import { checkPermissions } from "./permissions.ts";
import { PROFILES } from "./profiles.ts";
import { type KubernetesCapability, type KubernetesRemote, type KubernetesSpawnOptions, PROVIDER } from "./remote.ts";
import { type ClaimedVolume, kubernetesVolumes } from "./volumes.ts";

export type KubernetesProvider = Provider<KubernetesInstance, Snapshot, KubernetesCapability> & {
  /** As the contract's, and `pod` sets what only a pod has. */
  readonly spawn: (options: KubernetesSpawnOptions) => Promise<KubernetesInstance>;
};

/** Pods in one namespace of a Kubernetes cluster. Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function kubernetes(options: KubernetesOptions): KubernetesProvider {
  return kubernetesParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function kubernetesParts(options: KubernetesOptions): {
  readonly provider: KubernetesProvider;
  readonly hooks: ProviderHooks;
} {
  const { owner, runtime, ...given } = options;
  const config = checkedConfig(PROVIDER, configSchema, given);
  const { clock } = runtimeDefaults(runtime);
  const client = kubernetesClient(config, runtime);
  const remote: KubernetesRemote = { owner, clock, client, profile: PROFILES[config.profile ?? "generic"], config };
  return providerFromDriver<KubernetesProvider, Machine, undefined, ClaimedVolume>({
    name: PROVIDER,
    owner,
    tier: "additional",
    capabilities: { gpu: true, idempotentSpawn: true, persistentVolumes: true },
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: 64,
      nameMaxLength: 255,
      readAfterWriteMs: 0,
      // An API server ends a request after a minute.
      requestLifeMs: 60_000,
    },
    whyNot: WHY_NOT,
    refuses: {
      ports:
        "A pod's ports are reachable inside the cluster without being opened; a Service of yours shows them outside.",
      sshKeys: "A pod runs the image's program and no SSH server.",
      maxUsdPerHour: "Kubernetes tells no prices: what a pod costs is a share of a node that is paid for anyway.",
    },
    driver: kubernetesDriver(remote),
    volumes: kubernetesVolumes(remote),
    ownOptions: ["pod"],
    runtime: { ...runtime, clock },
    hooks: { startup: (call) => checkPermissions(client, call) },
  });
}

const WHY_NOT: WhyNot<KubernetesCapability> = {
  multiRegion: "A provider is one namespace of one cluster: make one provider for each context.",
  snapshots: "A container has no disk of its own that could be kept.",
  spot: "Kubernetes does not sell nodes: choose interruptible ones by pod.nodeSelector and pod.tolerations.",
  warmVolumes: "A pod mounts its volumes when it is created, so that none can be claimed by a running one.",
  hibernation: "A pod cannot be stopped and kept.",
  costExplorer: "Kubernetes knows no costs.",
  tailscaleNative: "A pod is a container without a kernel of its own: Kubernetes joins no tailnet for it.",
  customNetworking: "Which networks a pod may reach is the business of the cluster's NetworkPolicies.",
};
