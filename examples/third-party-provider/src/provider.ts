import {
  type ExecMethods,
  type LogMethods,
  type Provider,
  type ProviderHooks,
  runtimeDefaults,
  type Snapshot,
  type WhyNot,
} from "@slipway/core";
import { checkedConfig, providerFromDriver } from "@slipway/provider-kit/driver";
import { fileCopy, fileCopyMethods } from "./capabilities/file-copy.ts";
import { sshClient } from "./client.ts";
import { MAX_USER_DATA_BYTES, sshHostsDriver } from "./driver.ts";
import { PROVIDER } from "./errors.ts";
import { type Find, insideMethods } from "./inside.ts";
import type { Held, SshInstance } from "./instance.ts";
import { configSchema, type SshHostsOptions } from "./options.ts";

export type SshHostsProvider = Provider<SshInstance, Snapshot, "fileCopy"> & ExecMethods & LogMethods;

/** Instances on machines that are there already. Throws INVALID_SPEC for options that are wrong; it calls nothing. */
export function sshHosts(options: SshHostsOptions): SshHostsProvider {
  return sshHostsParts(options).provider;
}

/** The provider and its hooks, over one client. */
export function sshHostsParts(options: SshHostsOptions): {
  readonly provider: SshHostsProvider;
  readonly hooks: ProviderHooks;
} {
  const { owner, runtime, ...config } = options;
  const { hosts } = checkedConfig(PROVIDER, configSchema, config);
  const { clock } = runtimeDefaults(runtime);
  const client = sshClient(options);
  const remote = { hosts, clock, client };
  return providerFromDriver<SshHostsProvider, Held, undefined>({
    name: PROVIDER,
    owner,
    tier: "additional",
    capabilities: { fileCopy: true },
    capabilityDefinitions: [fileCopy],
    limits: {
      maxUserDataBytes: MAX_USER_DATA_BYTES,
      maxLabels: 64,
      nameMaxLength: 128,
      readAfterWriteMs: 0,
      requestLifeMs: 0,
    },
    whyNot: WHY_NOT,
    refuses: {
      spec: "A host is what it is: there are no machine types to choose from.",
      resources: "A host is what it is: there are no machine types to choose from.",
      image: "The system of a host is there already.",
      ports: "A host's ports are open or not: nothing is changed there.",
      sshKeys: "Who may log in to a host is decided there.",
      maxUsdPerHour: "Hosts have no price that could be compared.",
    },
    driver: sshHostsDriver(remote),
    runtime: { ...runtime, clock },
    methods: ({ lifeCycle }) => {
      const find: Find = (call, id) => lifeCycle.managed(call, id);
      return { ...insideMethods(remote, find), ...fileCopyMethods(remote, find) };
    },
    hooks: {
      // Every host has to let us in: one that does not would show at some spawn, and not now.
      startup: async (call) => void (await client.look(call, hosts)),
    },
  });
}

const WHY_NOT: WhyNot<"fileCopy"> = {
  snapshots: "A host cannot be copied from outside.",
  spot: "Nobody takes a host back.",
  gpu: "A host's accelerators are its own: put those hosts into a provider of their own.",
  multiRegion: "Hosts have places, and no regions.",
  persistentVolumes: "A host's disk stays with it.",
  warmVolumes: "A host's disk stays with it.",
  hibernation: "A host is left on.",
  costExplorer: "Hosts have no price that could be compared.",
  tailscaleNative: "Do it in the bootstrap, with the feature tailscale.",
  idempotentSpawn: "Two processes that share nothing can claim two hosts for one key: use launch with a store.",
  customNetworking: "A host's networks are there already.",
};
