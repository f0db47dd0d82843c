import {
  type BootstrapMethods,
  type CallOptions,
  type ExecMethods,
  isOwner,
  type LogMethods,
  type Provider,
  runtimeDefaults,
  type Snapshot,
} from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { execOf, isAtLeast, versionText } from "@slipway/provider-kit/command";
import {
  type Call,
  checkedConfig,
  type DriverDefinition,
  type HookParts,
  type ProviderParts,
  providerFromDriver,
} from "@slipway/provider-kit/driver";
import { keyedMutex } from "@slipway/provider-kit/limits";
import { MAX_BOOTSTRAP_BYTES } from "./bootstrap.ts";
import { volumeMethods } from "./capabilities/volumes.ts";
import { appleContainerClient, MACHINE_MS } from "./client.ts";
import type { AppleContainerContext } from "./context.ts";
import { appleContainerDriver } from "./driver.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { execInside } from "./exec.ts";
import type { AppleContainerInstance } from "./instance.ts";
import { logsOf } from "./logs.ts";
import {
  type AppleContainerNetworkOptions,
  type AppleContainerOptions,
  configSchema,
  DEFAULT_IMAGE,
  executableOf,
} from "./options.ts";
import { MAX_LABELS, NAME_MAX_LENGTH, type Prepared } from "./request.ts";
import { UNTRIED } from "./version.ts";
import type { WireContainer } from "./wire.ts";

type Always = "idempotentSpawn" | "persistentVolumes";

/** Instances as containers, each in a virtual machine of its own on this Mac. */
export type AppleContainerProvider = Provider<AppleContainerInstance, Snapshot, Always> &
  ExecMethods &
  LogMethods &
  BootstrapMethods;
/** The same, and an instance may be put on a network of one's own. */
export type AppleContainerNetworkProvider = Provider<AppleContainerInstance, Snapshot, Always | "customNetworking"> &
  ExecMethods &
  LogMethods &
  BootstrapMethods;

// The command passes the first signals of a foreground call on to nobody, and goes on: waiting for it is no use.
const KILL_GRACE_MS = 200;
// The console of an instance that was up for long.
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Instances as containers on this Mac. It runs nothing before the first call. With `networks: true` an instance may be
 * spawned with `network`, which needs macOS 26. Throws INVALID_SPEC for options that are wrong.
 *
 * @example
 * ```ts
 * const machines = appleContainer({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1", image: "docker.io/library/debian:13" });
 * await machines.terminate(id);
 * ```
 */
export function appleContainer(options: AppleContainerNetworkOptions): AppleContainerNetworkProvider;
export function appleContainer(options: AppleContainerOptions): AppleContainerProvider;
export function appleContainer(
  options: AppleContainerOptions | AppleContainerNetworkOptions,
): AppleContainerProvider | AppleContainerNetworkProvider {
  return partsOf(appleContainerContext(options), options).provider;
}

/** What the provider, its hooks and its clusters work with. */
export function appleContainerContext(
  options: AppleContainerOptions | AppleContainerNetworkOptions,
): AppleContainerContext {
  const { owner, variables: _variables, runtime, ...config } = options;
  if (!isOwner(owner)) throw refusal("INVALID_SPEC", "register", "owner must match [a-z0-9-]{1,63}");
  checkedConfig(PROVIDER, configSchema, config);
  const { clock, log } = runtimeDefaults(runtime);
  const defaults = { maxOutputBytes: MAX_OUTPUT_BYTES };
  const exec = execOf(runtime, { provider: PROVIDER, killGraceMs: KILL_GRACE_MS, defaults });
  return {
    owner,
    clock,
    log,
    client: appleContainerClient({ executable: executableOf(options), exec }),
    keyedMutex: keyedMutex(PROVIDER),
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
  terminateBy: "a container here costs nothing while it runs",
} as const;
const NO_NETWORKS = "it depends on macOS 26: ask for it with appleContainer({ networks: true })";

const REFUSES = {
  spec: "there are no machine types here: ask for resources",
  sshKeys: "no ssh server runs in an instance; use exec",
} as const;

// Of the life cycle alone what both types of provider have.
interface ReadingParts {
  readonly lifeCycle: {
    readonly get: (id: string, call?: CallOptions) => Promise<AppleContainerInstance | null>;
  };
}

/** Provider and hooks over a context that they may share with clusters. */
export function partsOf(
  context: AppleContainerContext,
  { runtime }: Pick<AppleContainerOptions, "runtime">,
): ProviderParts<AppleContainerProvider> | ProviderParts<AppleContainerNetworkProvider> {
  const common = {
    name: PROVIDER,
    owner: context.owner,
    tier: "additional",
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: NAME_MAX_LENGTH,
      // The service answers from what it holds in memory.
      readAfterWriteMs: 0,
      requestLifeMs: MACHINE_MS,
    },
    refuses: REFUSES,
    runtime: { ...runtime, clock: context.clock },
    hooks: hooksOf(context),
    methods: ({ lifeCycle }: ReadingParts) => {
      const logs: LogMethods["logs"] = (id, options) => logsOf(context, id, options);
      const readable = { provider: PROVIDER, get: lifeCycle.get.bind(lifeCycle), logs };
      return {
        exec: execInside(context),
        logs,
        readBootstrap: (id, call) => readBootstrap(readable, id, call),
        ...volumeMethods(context),
      };
    },
  } satisfies Partial<DriverDefinition<AppleContainerProvider, WireContainer, Prepared, never>>;
  const flags = { idempotentSpawn: true, persistentVolumes: true } as const;
  const driver = appleContainerDriver(context);
  return context.networks
    ? providerFromDriver<AppleContainerNetworkProvider, WireContainer, Prepared>({
        ...common,
        driver,
        whyNot: WHY_NOT,
        capabilities: { ...flags, customNetworking: true },
      })
    : providerFromDriver<AppleContainerProvider, WireContainer, Prepared>({
        ...common,
        driver,
        whyNot: { ...WHY_NOT, customNetworking: NO_NETWORKS },
        capabilities: flags,
      });
}

function hooksOf(context: AppleContainerContext): HookParts<AppleContainerInstance> {
  const { client } = context;
  return {
    startup: async (call) => {
      await health(context, call);
      // UNSUPPORTED on macOS 15, which does not have the command.
      if (context.networks) await client.networks(call);
    },
    tasks: ({ scan }) => ({
      health_check: (call) => health(context, call),
      // What a spawn that was cut off has left counts as half made: the next spawn of its key completes it.
      orphan_scan: async (call) => {
        const { mine, ...counts } = await scan(call);
        return { ...counts, halfMade: mine.filter(({ statusReason }) => statusReason?.code === "not-started").length };
      },
      refresh_prices: async () => ({ known: false }),
    }),
  };
}

async function health({ client, log }: AppleContainerContext, call: Call) {
  const version = await client.version(call);
  if (isAtLeast(version, UNTRIED)) {
    log.warn("this version of container is newer than all that were tried", { version: versionText(version) });
  }
  const service = await client.systemStatus(call);
  if (service === "running") return { service, version: versionText(version) };
  const message = `the service of container is ${service}: start it with \`container system start --enable-kernel-install\``;
  throw refusal("UNAVAILABLE", call.operation, message, {
    hint: "Start the service with `container system start --enable-kernel-install`.",
  });
}
