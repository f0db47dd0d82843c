import {
  type BootstrapMethods,
  type ExecMethods,
  isOwner,
  type LogMethods,
  type Provider,
  runtimeDefaults,
} from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { execMethod, execOf, isAtLeast, versionText } from "@slipway/provider-kit/command";
import { checkedConfig, type HookParts, type ProviderParts, providerFromDriver } from "@slipway/provider-kit/driver";
import { keyedMutex } from "@slipway/provider-kit/limits";
import { MAX_BOOTSTRAP_BYTES } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import { type OrbstackSnapshot, snapshotMethods } from "./capabilities/snapshots.ts";
import { CREATE_MS, orbstackClient } from "./client.ts";
import { breaker, type OrbstackContext, queues } from "./context.ts";
import { orbstackDriver } from "./driver.ts";
import { PROVIDER, refusal } from "./errors.ts";
import { type FileMethods, fileMethods } from "./files.ts";
import type { OrbstackInstance } from "./instance.ts";
import { logsOf } from "./logs.ts";
import { mustRun, type SeenMachine } from "./lookup.ts";
import { configSchema, DEFAULT_IMAGE, type OrbstackOptions, programOf } from "./options.ts";
import { MAX_LABELS, NAME_MAX_LENGTH, type OrbstackRequest } from "./request.ts";
import { tagReader } from "./tag-reader.ts";
import { UNTRIED } from "./version.ts";

/** Instances as Linux machines of OrbStack's on this Mac. */
export type OrbstackProvider = Provider<OrbstackInstance, OrbstackSnapshot, "idempotentSpawn" | "snapshots"> &
  ExecMethods &
  LogMethods &
  BootstrapMethods &
  FileMethods;

// OrbStack goes on with what a command began, so that waiting for its end is no use.
const KILL_GRACE_MS = 500;
// The output of a bootstrap that ran for long.
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Right after a deletion the list may still have the row. */
const READ_AFTER_WRITE_MS = 2_000;
const MAKING_AT_ONCE = 2;

/**
 * Instances as Linux machines of OrbStack's. It runs nothing before the first call. Throws INVALID_SPEC for options that are wrong.
 *
 * @example
 * ```ts
 * const machines = orbstack({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1", image: "debian:trixie" });
 * await machines.terminate(id);
 * ```
 */
export function orbstack(options: OrbstackOptions): OrbstackProvider {
  return partsOf(orbstackContext(options), options).provider;
}

/** What the provider and its hooks work with. */
export function orbstackContext(options: OrbstackOptions): OrbstackContext {
  const { owner, variables: _variables, runtime, ...config } = options;
  if (!isOwner(owner)) throw refusal("INVALID_SPEC", "register", "owner must match [a-z0-9-]{1,63}");
  checkedConfig(PROVIDER, configSchema, config);
  const { clock, log } = runtimeDefaults(runtime);
  const defaults = { maxOutputBytes: MAX_OUTPUT_BYTES };
  const exec = execOf(runtime, { provider: PROVIDER, killGraceMs: KILL_GRACE_MS, defaults });
  const client = orbstackClient(programOf(options), exec);
  return {
    owner,
    clock,
    log,
    client,
    tags: tagReader(client),
    keyedMutex: keyedMutex(PROVIDER),
    making: queues(keyedMutex(PROVIDER), MAKING_AT_ONCE),
    breaker: breaker(clock),
    image: options.image ?? DEFAULT_IMAGE,
    isolated: options.isolated ?? true,
  };
}

const WHY_NOT = {
  spot: "this Mac is yours, so nobody takes its capacity back",
  gpu: "OrbStack passes no GPU into its machines",
  multiRegion: "there is this Mac and no other place",
  persistentVolumes: "OrbStack's machines have one disk each, and none that could be attached",
  warmVolumes: "OrbStack's machines have one disk each, and none that could be attached",
  hibernation: "one machine cannot be suspended: stopping it loses its memory",
  costExplorer: "instances on this Mac are not billed",
  tailscaleNative: "OrbStack joins no tailnet by itself: do it in the bootstrap, with the feature tailscale",
  terminateBy: "a machine here costs nothing while it runs",
  customNetworking: "all machines share OrbStack's one network",
} as const;

const REFUSES = {
  spec: "there are no machine types here: ask for resources",
  sshKeys: "OrbStack's own ssh server lets its own key in, and no other; or use exec",
  ports: "OrbStack shows every port of a machine on this Mac's localhost by itself, and at no other number",
} as const;

/** The provider and its hooks over a context. */
export function partsOf(
  context: OrbstackContext,
  { runtime }: Pick<OrbstackOptions, "runtime">,
): ProviderParts<OrbstackProvider> {
  return providerFromDriver<OrbstackProvider, SeenMachine, OrbstackRequest>({
    name: PROVIDER,
    owner: context.owner,
    tier: "testing",
    capabilities: { idempotentSpawn: true, snapshots: true },
    whyNot: WHY_NOT,
    refuses: REFUSES,
    limits: {
      maxUserDataBytes: MAX_BOOTSTRAP_BYTES,
      maxLabels: MAX_LABELS,
      nameMaxLength: NAME_MAX_LENGTH,
      readAfterWriteMs: READ_AFTER_WRITE_MS,
      requestLifeMs: CREATE_MS,
    },
    driver: orbstackDriver(context),
    methods: ({ lifeCycle }) => {
      const logs: LogMethods["logs"] = (id, options) => logsOf(context, id, options);
      const readable = { provider: PROVIDER, get: lifeCycle.get.bind(lifeCycle), logs };
      return {
        exec: execInside(context),
        logs,
        readBootstrap: (id, call) => readBootstrap(readable, id, call),
        ...fileMethods(context),
        ...snapshotMethods(context),
      };
    },
    hooks: hooksOf(context),
    runtime: { ...runtime, clock: context.clock },
  });
}

/** None of them starts, ends or removes an instance, and none starts OrbStack or asks the user anything. */
function hooksOf(context: OrbstackContext): HookParts<OrbstackInstance> {
  return {
    startup: async (call) => void (await health(context, call)),
    tasks: ({ scan }) => ({
      health_check: (call) => health(context, call),
      // What a spawn that was cut off has left counts as half made: the next spawn of its key completes it.
      orphan_scan: async (call) => {
        const { mine, ...counts } = await scan(call);
        return { ...counts, halfMade: mine.filter(({ statusReason }) => statusReason?.code === "not-tagged").length };
      },
      refresh_prices: async () => ({ known: false }),
    }),
  };
}

async function health({ client, log }: OrbstackContext, call: Call) {
  const version = await client.version(call);
  if (isAtLeast(version, UNTRIED)) {
    log.warn("this version of OrbStack is newer than all that were described", { version: versionText(version) });
  }
  await client.mustBeUp(call);
  return { engine: "Running", version: versionText(version) };
}

/** Runs a program inside as root, with its argument list as it is. What becomes of it when the call is aborted is not known. */
function execInside(context: OrbstackContext): ExecMethods["exec"] {
  return execMethod(refusal, async (call, id, argv, input) => {
    const { info } = await mustRun(context, call, id);
    return await context.client.run(call, info.record.name, argv, input);
  });
}
