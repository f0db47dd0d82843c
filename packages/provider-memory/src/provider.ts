import { type BootstrapMethods, defineProvider, type LogMethods, type Provider } from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { render } from "./bootstrap.ts";
import { costMethods } from "./capabilities/cost-explorer.ts";
import { hibernationMethods } from "./capabilities/hibernation.ts";
import { regionMethods } from "./capabilities/multi-region.ts";
import { volumeMethods } from "./capabilities/persistent-volumes.ts";
import { type MemorySnapshot, snapshotMethods } from "./capabilities/snapshots.ts";
import { spotMethods } from "./capabilities/spot.ts";
import { warmVolumeMethods } from "./capabilities/warm-volumes.ts";
import { contextOf, type MemoryOptions } from "./client.ts";
import { PROVIDER } from "./context.ts";
import type { MemoryInstance } from "./instance.ts";
import { instanceMethods } from "./instances.ts";
import { logMethods } from "./logs.ts";
import { memoryWorld } from "./world/world.ts";

/** All eleven capabilities, `terminateBy`, `logs` and `readBootstrap`. */
export type MemoryProvider = Provider<
  MemoryInstance,
  MemorySnapshot,
  | "snapshots"
  | "spot"
  | "gpu"
  | "multiRegion"
  | "persistentVolumes"
  | "warmVolumes"
  | "hibernation"
  | "costExplorer"
  | "tailscaleNative"
  | "idempotentSpawn"
  | "customNetworking"
  | "terminateBy"
> &
  LogMethods &
  BootstrapMethods;

/**
 * The contract's model: a provider on a remote that is only data. Two of them over one world share nothing else.
 *
 * @example
 * ```ts
 * const remote = memory({ owner: "me" });
 * (await remote.spawn({ key: "worker-1", spec: "m1.small" })).key; // => "worker-1"
 * ```
 */
export function memory(options: MemoryOptions): MemoryProvider {
  const world = options.world ?? memoryWorld({ clock: options.runtime?.clock });
  const context = contextOf(options, world);
  const { userDataMax, readAfterWriteMs, latencyMs } = world.settings;
  const instances = instanceMethods(context);
  const { logs } = logMethods(context);
  return defineProvider<MemoryProvider>(
    {
      name: PROVIDER,
      owner: options.owner,
      tier: "testing",
      capabilities: {
        snapshots: true,
        spot: true,
        gpu: true,
        multiRegion: true,
        persistentVolumes: true,
        warmVolumes: true,
        hibernation: true,
        costExplorer: true,
        tailscaleNative: true,
        idempotentSpawn: true,
        customNetworking: true,
        terminateBy: true,
      },
      limits: {
        maxUserDataBytes: userDataMax,
        maxLabels: 32,
        nameMaxLength: 63,
        readAfterWriteMs,
        requestLifeMs: latencyMs,
        terminateLateMs: world.settings.terminateMs,
      },
      ...instances,
      generateBootstrap: (config) => render(config),
      ...snapshotMethods(context),
      ...spotMethods(context),
      ...regionMethods(context),
      ...volumeMethods(context),
      ...warmVolumeMethods(context),
      ...hibernationMethods(context),
      ...costMethods(context),
      logs,
      readBootstrap: (id, call) => readBootstrap({ provider: PROVIDER, get: instances.get, logs }, id, call),
    },
    { runtime: { ...options.runtime, clock: context.clock } },
  );
}
