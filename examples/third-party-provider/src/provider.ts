import {
  defineProvider,
  type ExecMethods,
  type LogMethods,
  type Provider,
  type ProviderHooks,
  runtimeDefaults,
  type Snapshot,
} from "@slipway/core";
import { renderBootstrap } from "@slipway/provider-kit/bootstrap";
import { keyedMutex } from "@slipway/provider-kit/limits";
import { fileCopy, fileCopyMethods } from "./capabilities/file-copy.ts";
import { sshClient } from "./client.ts";
import type { SshContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { sshHooks } from "./hooks.ts";
import { execOn, logsOf } from "./inside.ts";
import type { SshInstance } from "./instance.ts";
import { getInstance, listInstances } from "./lookup.ts";
import { configSchema, describeIssue, type SshHostsOptions } from "./options.ts";
import { MAX_USER_DATA_BYTES, spawnInstance } from "./spawn.ts";
import { terminateInstance } from "./terminate.ts";

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
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) throw refusal("INVALID_SPEC", "register", `ssh-hosts: ${describeIssue(parsed.error)}`);
  const context: SshContext = {
    owner,
    hosts: options.hosts,
    clock: runtimeDefaults(runtime).clock,
    client: sshClient(options),
    keyedMutex: keyedMutex(PROVIDER),
  };
  const provider = defineProvider<SshHostsProvider>(
    {
      name: PROVIDER,
      owner,
      tier: "additional",
      capabilities: { fileCopy: true },
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
        maxUsdPerHour: "Nobody tells what a host costs.",
      },
      spawn: (spawning) => spawnInstance(context, spawning),
      terminate: (id, call) => terminateInstance(context, id, call),
      get: (id, call) => getInstance(context, id, call),
      list: (filter, call) => listInstances(context, filter, call),
      generateBootstrap: (given) => renderBootstrap(given, { provider: PROVIDER, format: "shell" }),
      exec: (id, argv, given) => execOn(context, id, argv, given),
      logs: (id, given) => logsOf(context, id, given),
      ...fileCopyMethods(context),
    },
    { runtime: { ...runtime, clock: context.clock }, capabilityDefinitions: [fileCopy] },
  );
  return { provider, hooks: sshHooks(context) };
}

const WHY_NOT: NonNullable<Parameters<typeof defineProvider<SshHostsProvider>>[0]["whyNot"]> = {
  snapshots: "A host cannot be copied from outside.",
  spot: "Nobody takes a host back.",
  gpu: "A host's accelerators are its own: put those hosts into a provider of their own.",
  multiRegion: "Hosts have places, and no regions.",
  persistentVolumes: "A host's disk stays with it.",
  warmVolumes: "A host's disk stays with it.",
  hibernation: "A host is left on.",
  costExplorer: "Nobody tells what a host costs.",
  tailscaleNative: "Do it in the bootstrap, with the feature tailscale.",
  idempotentSpawn: "Two processes that share nothing can claim two hosts for one key: use launch with a store.",
  customNetworking: "A host's networks are there already.",
};
