import {
  type BootstrapMethods,
  type BuiltinCapability,
  type Capability,
  type CoreMethods,
  defineProvider,
  type HibernationMethods,
  type ListFilter,
  type LogMethods,
  type Provider,
  type RegionMethods,
  type SpawnOptions,
} from "@slipway/core";
import { readBootstrap } from "@slipway/provider-kit/bootstrap";
import { matcherOf } from "@slipway/provider-kit/filters";
import { costMethods } from "./capabilities/cost-explorer.ts";
import { volumeMethods } from "./capabilities/persistent-volumes.ts";
import { type MemorySnapshot, snapshotMethods } from "./capabilities/snapshots.ts";
import { spotMethods } from "./capabilities/spot.ts";
import { warmVolumeMethods } from "./capabilities/warm-volumes.ts";
import { type Call, contextOf, type MemoryOptions } from "./client.ts";
import {
  configuredRegion,
  inRegionsOrThrow,
  instanceFrom,
  type MemoryContext,
  ownerFilter,
  PROVIDER,
} from "./context.ts";
import { inRegions } from "./ids.ts";
import type { MemoryInstance } from "./instance.ts";
import { machineRequest, render } from "./request.ts";
import { account, anything, consoleLines, machine, machinePage } from "./wire.ts";
import { memoryWorld } from "./world/world.ts";

/** All eleven capabilities, `terminateBy`, `logs` and `readBootstrap`. */
export type MemoryProvider = Provider<MemoryInstance, MemorySnapshot, BuiltinCapability | "terminateBy"> &
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

type InstanceMethods = Omit<
  CoreMethods<MemoryInstance, SpawnOptions<Capability>, ListFilter<Capability>>,
  "generateBootstrap"
>;

function instanceMethods(context: MemoryContext): InstanceMethods {
  const { client } = context;
  return {
    spawn: async (options) => {
      const call = { operation: "spawn", signal: options.signal };
      const { region, body } = machineRequest(context, call.operation, options);
      const made = await client.send(call, "machines.create", region, body, machine);
      if (made.state !== "draft") return instanceFrom(context, made);
      // Half a machine, of this call or of one that was killed: the second request completes it.
      const helping = { helper: true, changed: true } as const;
      const started = await client.send(call, "machines.start", made.region, { id: made.id }, machine, helping);
      return instanceFrom(context, started);
    },
    terminate: async (id, { signal } = {}) => {
      const call = { operation: "terminate", signal };
      await inRegions(id, "mem", context.regions, (region, nativeId) =>
        client.send(call, "machines.delete", region, { id: nativeId }, anything),
      );
    },
    get: (id, { signal } = {}) =>
      inRegions(id, "mem", context.regions, async (region, nativeId) => {
        const call = { operation: "get", signal };
        return instanceFrom(context, await client.send(call, "machines.read", region, { id: nativeId }, machine));
      }),
    list: (filter = {}, { signal } = {}) => listed(context, { operation: "list", signal }, filter),
  };
}

async function listed(
  context: MemoryContext,
  call: Call,
  filter: ListFilter<Capability>,
): Promise<readonly MemoryInstance[]> {
  const regions =
    filter.region === undefined ? context.regions : [configuredRegion(context, call.operation, filter.region)];
  const owner = ownerFilter(context, filter.owner);
  const found: MemoryInstance[] = [];
  const matches = matcherOf(filter);
  for (const region of regions) {
    const rows = await context.client.sendAll(call, "machines.list", region, owner, machinePage);
    found.push(...rows.map((row) => instanceFrom(context, row)).filter(matches));
  }
  return found;
}

const POLL_MS = 1_000;

function logMethods(context: MemoryContext): LogMethods {
  return {
    logs: async function* (id, { signal, follow = false } = {}) {
      const call = { operation: "logs", signal };
      for (let from = 0; ; ) {
        const { lines, ended } = await inRegionsOrThrow(context, call, id, "mem", (region, nativeId) =>
          context.client.send(call, "machines.console", region, { id: nativeId, from }, consoleLines),
        );
        yield* lines;
        from += lines.length;
        if (!follow || ended) return;
        try {
          await context.clock.sleep(POLL_MS, signal);
        } catch {
          return;
        }
      }
    },
  };
}

function hibernationMethods(context: MemoryContext): HibernationMethods<MemoryInstance> {
  const send =
    (operation: "hibernate" | "resume", request: "machines.suspend" | "machines.wake") =>
    (instanceId: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<MemoryInstance> => {
      const call = { operation, signal };
      return inRegionsOrThrow(context, call, instanceId, "mem", async (region, id) =>
        instanceFrom(context, await context.client.send(call, request, region, { id }, machine)),
      );
    };
  return { hibernate: send("hibernate", "machines.suspend"), resume: send("resume", "machines.wake") };
}

function regionMethods(context: MemoryContext): RegionMethods {
  return {
    listRegions: async ({ signal } = {}) => {
      const call = { operation: "listRegions", signal };
      const { regions } = await context.client.send(call, "account.read", context.regions[0], {}, account);
      return regions.filter(({ id }) => context.regions.includes(id)).map(({ id, name }) => ({ id, name }));
    },
  };
}
