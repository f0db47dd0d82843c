import {
  type Clock,
  defineProvider,
  type Instance,
  type Provider,
  ProviderError,
  type Snapshot,
  type SnapshotStatus,
} from "@slipway/core";
import type { DriftWorld } from "@slipway/provider-kit/chaos";

export type TinyProvider = Provider<Instance, Snapshot, "snapshots" | "idempotentSpawn">;

/** The least that chaos can be shown on: instances in a map, which are as they were written at once. */
export interface Tiny extends DriftWorld {
  readonly provider: TinyProvider;
  readonly instances: Map<string, Instance>;
  /** Calls that reached the provider itself. */
  readonly calls: string[];
}

export function tiny(clock: Clock): Tiny {
  const instances = new Map<string, Instance>();
  const snapshots = new Map<string, Snapshot>();
  const calls: string[] = [];
  let count = 0;
  const change = (nativeId: string, changes: Partial<Instance>): void => {
    const instance = instances.get(nativeId);
    if (instance === undefined) throw new RangeError(`there is no ${nativeId}`);
    instances.set(nativeId, { ...instance, ...changes });
  };
  const provider = defineProvider<TinyProvider>(
    {
      name: "tiny",
      owner: "test",
      tier: "testing",
      capabilities: { snapshots: true, idempotentSpawn: true },
      limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 20, readAfterWriteMs: 0, requestLifeMs: 0 },
      spawn: async ({ key = "", resources = {} }) => {
        calls.push("spawn");
        const there = [...instances.values()].find((instance) => instance.key === key);
        if (there !== undefined) return there;
        const id = `t-${++count}`;
        const instance: Instance = {
          id,
          nativeId: id,
          status: "running",
          provider: "tiny",
          owner: "test",
          key,
          isSpot: false,
          labels: {},
          addresses: { publicIpv4: "192.0.2.1" },
          ssh: { host: "192.0.2.1", port: 22, user: "root" },
          resources: { cpus: resources.cpus ?? 1, memoryBytes: resources.memoryBytes ?? 1 },
          createdAt: new Date(clock.now()).toISOString(),
        };
        instances.set(id, instance);
        return instance;
      },
      terminate: async (id) => {
        calls.push("terminate");
        instances.delete(id);
      },
      list: async ({ status, keys } = {}) => {
        calls.push("list");
        return [...instances.values()].filter(
          (instance) =>
            (status === undefined || status.includes(instance.status)) &&
            (keys === undefined || (instance.key !== null && keys.includes(instance.key))),
        );
      },
      get: async (id) => {
        calls.push("get");
        return instances.get(id) ?? null;
      },
      generateBootstrap: ({ script }) => ({
        content: script,
        format: "shell",
        checksum: "",
        byteLength: script.length,
      }),
      createSnapshot: async (instanceId, { key }) => {
        calls.push("createSnapshot");
        if (!instances.has(instanceId)) {
          const at = { provider: "tiny", operation: "createSnapshot", effect: "none" } as const;
          throw new ProviderError("NOT_FOUND", { ...at, message: `there is no ${instanceId}` });
        }
        const snapshot: Snapshot = {
          id: `s-${key}`,
          provider: "tiny",
          status: "available",
          key,
          owner: "test",
          instanceId,
          createdAt: null,
        };
        snapshots.set(snapshot.id, snapshot);
        return snapshot;
      },
      getSnapshotStatus: async (id): Promise<SnapshotStatus | null> => snapshots.get(id)?.status ?? null,
      deleteSnapshot: async (id) => void snapshots.delete(id),
      listSnapshots: async () => [...snapshots.values()],
    },
    { runtime: { clock } },
  );
  return {
    provider,
    instances,
    calls,
    stop: (nativeId) => change(nativeId, { status: "stopped" }),
    remove: (nativeId) => void instances.delete(nativeId),
    rename: (nativeId, name) => change(nativeId, { labels: { name } }),
    addUnmanaged: () => count++,
    changeAddress: (nativeId) => change(nativeId, { addresses: { publicIpv4: "192.0.2.99" } }),
  };
}
