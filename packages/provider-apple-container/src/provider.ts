import {
  defineProvider,
  type ExecMethods,
  isOwner,
  type LogMethods,
  type Provider,
  runtimeDefaults,
  type Snapshot,
} from "@slipway/core";
import { commandRunner } from "@slipway/provider-kit/command";
import { inTurn } from "@slipway/provider-kit/limits";
import { MAX_BOOTSTRAP_BYTES, render } from "./bootstrap.ts";
import { volumeMethods } from "./capabilities/volumes.ts";
import { appleContainerClient } from "./client.ts";
import type { AppleContainerContext } from "./context.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { execInside } from "./exec.ts";
import type { AppleContainerInstance } from "./instance.ts";
import { logsOf } from "./logs.ts";
import { getInstance, listInstances } from "./look-up.ts";
import {
  type AppleContainerNetworkOptions,
  type AppleContainerOptions,
  configSchema,
  DEFAULT_IMAGE,
  describeIssue,
  executableOf,
} from "./options.ts";
import { MAX_LABELS, NAME_MAX_LENGTH } from "./request.ts";
import { spawnInstance } from "./spawn.ts";
import { terminateInstance } from "./terminate.ts";

type Always = "idempotentSpawn" | "persistentVolumes";

/** Instances as containers, each in a virtual machine of its own on this Mac. */
export type AppleContainerProvider = Provider<AppleContainerInstance, Snapshot, Always> & ExecMethods & LogMethods;
/** The same, and an instance may be put on a network of one's own. */
export type AppleContainerNetworkProvider = Provider<AppleContainerInstance, Snapshot, Always | "customNetworking"> &
  ExecMethods &
  LogMethods;

// The command passes the first signals of a foreground call on to nobody, and goes on: waiting for it is no use.
const KILL_GRACE_MS = 200;
// The console of an instance that was up for long.
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Instances as containers on this Mac. It runs nothing before the first call. With `networks: true` an instance may be
 * spawned with `network`, which needs macOS 26. Throws INVALID_SPEC for options that are wrong.
 */
export function appleContainer(options: AppleContainerNetworkOptions): AppleContainerNetworkProvider;
export function appleContainer(options: AppleContainerOptions): AppleContainerProvider;
export function appleContainer(
  options: AppleContainerOptions | AppleContainerNetworkOptions,
): AppleContainerProvider | AppleContainerNetworkProvider {
  return providerOf(appleContainerContext(options), options);
}

/** What the provider, its hooks and its clusters work with. */
export function appleContainerContext(
  options: AppleContainerOptions | AppleContainerNetworkOptions,
): AppleContainerContext {
  const { owner, variables: _variables, runtime, ...config } = options;
  if (!isOwner(owner)) throw refusal("INVALID_SPEC", "register", "owner must match [a-z0-9-]{1,63}");
  const parsed = configSchema.safeParse(config);
  if (!parsed.success) throw refusal("INVALID_SPEC", "register", `${PROVIDER}: ${describeIssue(parsed.error)}`);
  const { clock, log, onEvent } = runtimeDefaults(runtime);
  const exec =
    runtime?.exec ??
    commandRunner({
      provider: PROVIDER,
      clock,
      log,
      onEvent,
      killGraceMs: KILL_GRACE_MS,
      defaults: { maxOutputBytes: MAX_OUTPUT_BYTES },
    });
  return {
    owner,
    clock,
    log,
    client: appleContainerClient({ executable: executableOf(options), exec }),
    inTurn: inTurn(PROVIDER),
    image: options.image ?? DEFAULT_IMAGE,
    networks: "networks" in options && options.networks,
  };
}

const WHY_NOT = {
  snapshots:
    "container exports a root file system as a tar and makes no image of it, so that no instance could be restored faithfully: keep data on a volume",
  spot: "this Mac is yours, so nobody takes its capacity back",
  gpu: "container passes no GPU into its virtual machines",
  multiRegion: "there is this Mac and no other place",
  warmVolumes: "a volume is attached when an instance is created, so that none can be claimed by a running one",
  hibernation: "container cannot suspend: stopping a virtual machine loses its memory",
  costExplorer: "instances on this Mac are not billed",
  tailscaleNative: "container joins no tailnet by itself: do it in the bootstrap, with the feature tailscale",
} as const;
const NO_NETWORKS = "it depends on macOS 26: ask for it with appleContainer({ networks: true })";

const REFUSES = {
  spec: "there are no machine types here: ask for resources",
  sshKeys: "no ssh server runs in an instance; use exec",
} as const;

/** The provider over a context that it may share with clusters. */
export function providerOf(
  context: AppleContainerContext,
  { runtime }: Pick<AppleContainerOptions, "runtime">,
): AppleContainerProvider | AppleContainerNetworkProvider {
  const members = {
    ...membersOf(context),
    name: PROVIDER,
    owner: context.owner,
    tier: "additional",
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: NAME_MAX_LENGTH,
      // The service answers from what it holds in memory.
      readAfterWriteMs: 0,
    },
    refuses: REFUSES,
  } as const;
  const flags = { idempotentSpawn: true, persistentVolumes: true } as const;
  const settings = { runtime: { ...runtime, clock: context.clock } };
  return context.networks
    ? defineProvider<AppleContainerNetworkProvider>(
        { ...members, whyNot: WHY_NOT, capabilities: { ...flags, customNetworking: true } },
        settings,
      )
    : defineProvider<AppleContainerProvider>(
        { ...members, whyNot: { ...WHY_NOT, customNetworking: NO_NETWORKS }, capabilities: flags },
        settings,
      );
}

function membersOf(context: AppleContainerContext) {
  return {
    spawn: (options: Parameters<typeof spawnInstance>[1]) => spawnInstance(context, options),
    terminate: (id: string, call?: Parameters<typeof terminateInstance>[2]) => terminateInstance(context, id, call),
    list: (filter?: Parameters<typeof listInstances>[1], call?: Parameters<typeof listInstances>[2]) =>
      listInstances(context, filter, call),
    get: (id: string, call?: Parameters<typeof getInstance>[2]) => getInstance(context, id, call),
    generateBootstrap: (config: Parameters<typeof render>[0]) => render(config),
    exec: (id: string, argv: readonly string[], options?: Parameters<typeof execInside>[3]) =>
      execInside(context, id, argv, options),
    logs: (id: string, options?: Parameters<typeof logsOf>[2]) => logsOf(context, id, options),
    ...volumeMethods(context),
  };
}
