import { type BaseSpawnOptions, timestamp } from "@slipway/core";
import { type MemoryWorldSettings, memory, memoryErrorTable, memoryWorld, register } from "@slipway/provider-memory";
import manifest from "@slipway/provider-memory/package.json" with { type: "json" };
import type { Harness, HarnessFactory } from "../src/harness.ts";

const API_KEY = "memory-api-key-5ecret";
const OWNER = "contract-tests";

/** provider-memory in a world of its own, with all that a harness can have. */
export function memoryHarness(
  settings: Omit<MemoryWorldSettings, "clock"> = {},
  request: () => BaseSpawnOptions = () => ({ spec: "m1.small" }),
): HarnessFactory {
  return async (): Promise<Harness> => {
    const world = memoryWorld({ apiKeys: [API_KEY], pageSize: 3, ...settings });
    const transcript: string[] = [];
    const note = (level: string, message: string, data?: object): void => {
      transcript.push(`${timestamp(world.clock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
    };
    const runtime = {
      clock: world.clock,
      onEvent: (event: object) => note("event", "", event),
      log: {
        debug: (message: string, data?: object) => note("debug", message, data),
        info: (message: string, data?: object) => note("info", message, data),
        warn: (message: string, data?: object) => note("warn", message, data),
        error: (message: string, data?: object) => note("error", message, data),
      },
    };
    const down = new Set<string>();
    return {
      registration: await register({ world, apiKey: API_KEY }, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: request,
      capabilityOptions: {
        gpu: { spec: "g1.one", gpu: { count: 1 } },
        tailscaleNative: { tailscale: { authKey: "tskey-auth-x" } },
        customNetworking: { network: { id: "net-1", firewalls: ["web"] } },
      },
      another: async ({ owner = OWNER } = {}) => memory({ owner, world, apiKey: API_KEY, runtime }),
      inspector: {
        instances: async () => world.instances(),
        snapshots: async () => world.snapshots().map(({ nativeId }) => nativeId),
        volumes: async () => world.volumes().map(({ nativeId }) => nativeId),
        addUnmanaged: async (name) => world.addUnmanaged(name),
        hasUnmanaged: async (nativeId) => world.hasUnmanaged(nativeId),
        addUnmanagedVolume: async () => {
          const { region, nativeId, isThere, remove } = world.addUnmanagedVolume();
          return { id: `${region}/${nativeId}`, isThere: async () => isThere(), remove: async () => remove() };
        },
        crash: async (nativeId) => world.crash(nativeId),
        showUnknownState: async (nativeId) => world.setState(nativeId, "migrating"),
        changes: async () => world.changes,
      },
      faults: {
        add: world.faults.add,
        clear: () => {
          world.faults.clear();
          for (const region of down) world.setRegionDown(region, false);
        },
        supports: ({ code, when }) =>
          code !== "CANCELLED" &&
          code !== "UNSUPPORTED" &&
          (when !== "stale-read" || world.settings.readAfterWriteMs > 0),
        failRegion: (region) => {
          down.add(region);
          world.setRegionDown(region, true);
        },
      },
      foreignNotFound: (on) => {
        if (on) world.faults.add({ operation: "*", when: "before", code: "INTERNAL", times: 1_000 });
        else world.faults.clear();
      },
      errorTable: memoryErrorTable,
      clock: world.clock,
      unknownId: "mem-east-1/mem-000000000000",
      secrets: [API_KEY],
      transcript: () => transcript.join("\n"),
      patienceMs: 120_000,
      package: { manifest, register, config: {} },
      close: async () => undefined,
    };
  };
}
