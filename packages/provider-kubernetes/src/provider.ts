import {
  type BootstrapMethods,
  type ExecMethods,
  type OfferingMethods,
  type Provider,
  runtimeDefaults,
  type Snapshot,
  type Supporting,
  type WhyNot,
} from "@slipway/core";
import {
  checkedOptions,
  type DriverDefinition,
  type ProviderParts,
  providerFromDriver,
} from "@slipway/provider-kit/driver";
import { refusals } from "@slipway/provider-kit/errors";
import { kubernetesClient } from "./client.ts";
import { kubernetesDriver, MAX_BOOTSTRAP_BYTES, type Machine } from "./driver.ts";
import { TERMINATE_LATE_MS } from "./end-job.ts";
import { execInside } from "./inside/exec.ts";
import { type KubernetesLogOptions, logsOf } from "./inside/logs.ts";
import { forwardPort, type PortForward, type PortForwardOptions } from "./inside/port-forward.ts";
import { readBootstrapOf } from "./inside/read-bootstrap.ts";
import type { KubernetesInstance } from "./instance.ts";
import { offeringsOf } from "./machines.ts";
import { configSchema, type KubernetesOptions } from "./options.ts";
import { checkPermissions } from "./permissions.ts";
import { PROFILES, type Profile } from "./profiles.ts";
import type { KubernetesCapability, KubernetesRemote, KubernetesSpawnOptions } from "./remote.ts";
import { type ClaimedVolume, kubernetesVolumes } from "./volumes.ts";

export const KUBERNETES = "kubernetes";

export type KubernetesProvider = Provider<KubernetesInstance, Snapshot, KubernetesCapability> &
  ExecMethods &
  BootstrapMethods & {
    /** As the contract's, and `pod` sets what only a pod has. */
    readonly spawn: (options: KubernetesSpawnOptions) => Promise<KubernetesInstance>;
    /** What the main container printed, line by line. */
    readonly logs: (id: string, options?: KubernetesLogOptions) => AsyncIterable<string>;
    /** Opens a port of this machine that leads to one of the pod, until it is closed. */
    readonly portForward: (id: string, port: number, options?: PortForwardOptions) => Promise<PortForward>;
  };

/** A provider of one context: names are unique there, so that a key is too, whoever spawns it. */
export type KubernetesClusterProvider = Supporting<KubernetesProvider, "idempotentSpawn">;

type KubernetesDefinition = DriverDefinition<KubernetesProvider, Machine, undefined, ClaimedVolume>;
/** What makes a provider one of a single context. */
interface OneContext {
  readonly contexts?: readonly [string] | undefined;
}

/** A provider of another name, for a cloud whose clusters have a profile of their own. */
export interface KubernetesFlavour {
  readonly name: string;
  /** Replaces the `profile` of the config. With a catalogue the provider lists offerings and checks prices. */
  readonly profile: Profile;
  /** The environment variable by which its users name a kubeconfig; KUBECONFIG if absent. */
  readonly variable?: string;
}

/**
 * Pods on Kubernetes clusters. Throws INVALID_SPEC for options that are wrong; it calls nothing.
 *
 * @example
 * ```ts
 * const cluster = kubernetes({ owner: "me", context: "kind-dev" });
 * const { id } = await cluster.spawn({ key: "worker-1", image: "docker.io/library/debian:13" });
 * await cluster.terminate(id);
 * ```
 */
export function kubernetes(options: KubernetesOptions & OneContext): KubernetesClusterProvider;
export function kubernetes(options: KubernetesOptions): KubernetesProvider;
export function kubernetes(options: KubernetesOptions): KubernetesProvider {
  return kubernetesParts(options).provider;
}

/**
 * The provider and its hooks, over one client for each context.
 *
 * @example
 * ```ts
 * const { provider: pods } = kubernetesParts({ owner: "me", context: "kind-dev" });
 * ```
 */
export function kubernetesParts(
  options: KubernetesOptions,
  flavour?: KubernetesFlavour,
): ProviderParts<KubernetesProvider> {
  const { owner, runtime } = options;
  const name = flavour?.name ?? KUBERNETES;
  const config = checkedOptions(name, configSchema, options);
  const refuse = refusals(name);
  const profile = flavour?.profile ?? PROFILES[config.profile ?? "generic"];
  const contexts = config.contexts ?? [config.context];
  const { variable } = flavour ?? {};
  const clients = contexts.map((context) =>
    kubernetesClient({ ...config, variable, context }, { name, refuse }, runtime),
  );
  const { clock } = runtimeDefaults(runtime);
  const remote: KubernetesRemote = { owner, clients, profile, config, clock, refuse };
  const inside = { provider: name, refuse, clock };
  const offered: Partial<OfferingMethods> =
    profile.catalogue === undefined ? {} : { listOfferings: async () => offeringsOf(profile) };
  const definition: Omit<KubernetesDefinition, "capabilities" | "whyNot"> = {
    name,
    owner,
    tier: "additional",
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: 64,
      nameMaxLength: 255,
      readAfterWriteMs: 0,
      // An API server ends a request after a minute.
      requestLifeMs: 60_000,
      terminateLateMs: TERMINATE_LATE_MS,
    },
    refuses: profile.catalogue === undefined ? { ...REFUSES, maxUsdPerHour: NO_PRICES } : REFUSES,
    regions: config.contexts,
    driver: kubernetesDriver(remote),
    volumes: kubernetesVolumes(remote),
    ownOptions: ["pod"],
    runtime,
    hooks: { startup: (call) => checkPermissions(remote, call) },
    methods: ({ lifeCycle, timed }) => ({
      ...offered,
      // The name of a current context stands in the kubeconfig.
      listRegions: async ({ signal } = {}) =>
        await Promise.all(
          clients.map(async (client) => {
            const { context } = await client.where({ operation: "listRegions", signal });
            return { id: context, name: context };
          }),
        ),
      exec: (id, argv, given = {}) =>
        timed("exec", given, async (call) => execInside(inside, call, await lifeCycle.managed(call, id), argv, given)),
      readBootstrap: (id, given = {}) =>
        timed("readBootstrap", given, async (call) => readBootstrapOf(inside, call, await lifeCycle.managed(call, id))),
      logs: (id, given) => logsOf(inside, (call) => lifeCycle.managed(call, id), given),
      portForward: (id, port, given) => forwardPort(inside, (call) => lifeCycle.managed(call, id), port, given),
    }),
  };
  const capabilities = { gpu: true, multiRegion: true, persistentVolumes: true, terminateBy: true } as const;
  const several = { ...definition, capabilities, whyNot: { ...WHY_NOT, idempotentSpawn: NOT_IN_SEVERAL } };
  const one = { ...definition, capabilities: { ...capabilities, idempotentSpawn: true as const }, whyNot: WHY_NOT };
  return clients.length === 1
    ? providerFromDriver<KubernetesClusterProvider, Machine, undefined, ClaimedVolume>(one)
    : providerFromDriver<KubernetesProvider, Machine, undefined, ClaimedVolume>(several);
}

const REFUSES = {
  ports: "A pod's ports are reachable inside the cluster without being opened; a Service of yours shows them outside.",
  sshKeys: "A pod runs the image's program and no SSH server.",
};
const NO_PRICES = "Kubernetes tells no prices: what a pod costs is a share of a node that is paid for anyway.";

const NOT_IN_SEVERAL =
  "Names are unique in a cluster, and not over several: configure one context, or let control's `launch` hold the key.";
const WHY_NOT: WhyNot<KubernetesCapability | "idempotentSpawn"> = {
  snapshots: "A container has no disk of its own that could be kept.",
  spot: "Kubernetes does not sell nodes: choose interruptible ones by pod.nodeSelector and pod.tolerations.",
  warmVolumes: "A pod mounts its volumes when it is created, so that none can be claimed by a running one.",
  hibernation: "A pod cannot be stopped and kept.",
  costExplorer: "Kubernetes knows no costs.",
  tailscaleNative: "A pod is a container without a kernel of its own: Kubernetes joins no tailnet for it.",
  customNetworking: "Which networks a pod may reach is the business of the cluster's NetworkPolicies.",
};
